import type { BindAddress } from '../core/haproxy/bind.js';
import { barredPortsOf } from '../core/haproxy/barred-ports.js';
import type { Catalog, Service } from '../core/catalog.js';
import { claimsOf, modelOf, type Claim, type HeldListener, type Model } from '../core/haproxy/model.js';
import type { Proxy } from '../ports/proxy.js';

/** How long a port that HAProxy could not bind, although the probe could, is left alone. */
const unbindableMs = 30_000;

export interface ModelBuilder {
  /**
   * The model that HAProxy can take: listeners whose port another process has are left out.
   *
   * @param loaded ports that the running worker has, and that need no look
   */
  build(input: { catalog: Catalog; revision: number; loaded: ReadonlySet<number> }): Promise<BuiltModel>;
  /** HAProxy could not bind these. */
  bar(ports: readonly number[]): void;
}

export interface BuiltModel {
  readonly model: Model;
  /** The port of the stats page is taken by another process. */
  readonly statsBarred: boolean;
}

export interface ModelBuilderOptions {
  readonly proxy: Pick<Proxy, 'takenOf'>;
  readonly bind: readonly string[];
  readonly statsBind: BindAddress;
  readonly lingerMs: number;
  /** What held the ports when the daemon last ran, and the revision of etcd at which it did. */
  readonly held: readonly HeldListener[];
  readonly heldRevision: number;
}

export function createModelBuilder({
  proxy,
  bind,
  statsBind,
  lingerMs,
  ...initial
}: ModelBuilderOptions): ModelBuilder {
  let held: readonly HeldListener[] = initial.held;
  let heldRevision = initial.heldRevision;
  const unbindable = new Map<number, number>();
  /** A service that did not change since is the same object, and asks for the same. */
  const known = new WeakMap<Service, readonly Claim[]>();
  const reserved = barredPortsOf(statsBind.port);

  const claimsBy = (service: Service): readonly Claim[] => {
    const claims = known.get(service) ?? claimsOf(service);
    known.set(service, claims);
    return claims;
  };

  return {
    bar(ports) {
      for (const port of ports) unbindable.set(port, Date.now() + unbindableMs);
    },

    async build({ catalog, revision, loaded }) {
      const nowMs = Date.now();
      for (const [port, untilMs] of unbindable) if (untilMs <= nowMs) unbindable.delete(port);
      const claims = catalog.services.flatMap(claimsBy);
      const decide = (barred: ReadonlyMap<number, string>): Model =>
        modelOf({ claims, held, heldRevision, barred, nowMs, lingerMs });

      const first = decide(reserved);
      const fresh = first.listeners.map(({ port }) => port).filter((port) => !loaded.has(port));
      const probed = await proxy.takenOf(fresh.flatMap((port) => bind.map((host) => ({ host, port }))));
      const barred = new Map(reserved);
      for (const { port } of probed) barred.set(port, 'is taken by another process');
      for (const port of unbindable.keys()) if (fresh.includes(port)) barred.set(port, 'can not be bound by HAProxy');

      const model = barred.size === reserved.size ? first : decide(barred);
      // Who had a port that another process took keeps the claim to it.
      const robbed = held.filter(
        ({ name, port }) => barred.has(port) && !model.listeners.some((listener) => listener.name === name),
      );
      held = [...model.listeners, ...robbed];
      heldRevision = revision;
      const statsTaken = loaded.has(statsBind.port) ? [] : await proxy.takenOf([statsBind]);
      return { model, statsBarred: statsTaken.length > 0 || unbindable.has(statsBind.port) };
    },
  };
}
