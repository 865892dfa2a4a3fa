import type { BindAddress } from '../core/haproxy/bind.js';
import { claimsUnder, isServed, whyBarredBy, type ClientPolicy } from '../core/haproxy/client-policy.js';
import type { Catalog, Service } from '../core/catalog.js';
import { modelOf, type Claim, type HeldListener, type Model } from '../core/haproxy/model.js';
import type { Proxy } from '../ports/proxy.js';
import { steadyNowMs } from './clock.js';
import { createQuarantine, type Last, type Quarantine } from './quarantine.js';

/** How long a port that HAProxy could not bind, although the probe could, is left alone. */
const unbindableMs = 30_000;

export interface ModelBuilder {
  /**
   * The model that HAProxy can take: listeners whose port another process has are left out.
   *
   * @param loaded ports that the running worker has, and that need no look
   */
  build(input: { catalog: Catalog; revision: number; loaded: ReadonlySet<number>; last: Last }): Promise<BuiltModel>;
  /** HAProxy could not bind these. */
  bar(ports: readonly number[]): void;
  /** What of it HAProxy refuses, listener by listener. */
  readonly quarantine: Omit<Quarantine, 'offerOf'>;
}

export interface BuiltModel {
  readonly model: Model;
  /** The port of the stats page is taken by another process. */
  readonly statsBarred: boolean;
}

/** What HAProxy binds for it. */
export function portsOf({ model, statsBarred }: BuiltModel, statsPort: number): ReadonlySet<number> {
  return new Set([...model.listeners.map(({ port }) => port), ...(statsBarred ? [] : [statsPort])]);
}

export interface ModelBuilderOptions {
  readonly proxy: Pick<Proxy, 'takenOf'>;
  readonly bind: readonly string[];
  readonly statsBind: BindAddress;
  readonly policy: ClientPolicy;
  readonly lingerMs: number;
  /** What held the ports when the daemon last ran, and the revision of etcd at which it did. */
  readonly held: readonly HeldListener[];
  readonly heldRevision: number;
}

export function createModelBuilder({
  proxy,
  bind,
  statsBind,
  policy,
  lingerMs,
  ...initial
}: ModelBuilderOptions): ModelBuilder {
  // What is denied now does not linger.
  let held: readonly HeldListener[] = initial.held.filter(({ service }) => isServed(policy, service));
  let heldRevision = initial.heldRevision;
  const unbindable = new Map<number, number>();
  /** A service that did not change since is the same object, and asks for the same. */
  const known = new WeakMap<Service, readonly Claim[]>();
  const quarantine = createQuarantine();

  const whyReserved = whyBarredBy(policy, statsBind.port);
  const claimsBy = (service: Service): readonly Claim[] => {
    const claims = known.get(service) ?? claimsUnder(policy, service);
    known.set(service, claims);
    return claims;
  };

  return {
    quarantine,

    bar(ports) {
      for (const port of ports) unbindable.set(port, performance.now() + unbindableMs);
    },

    async build({ catalog, revision, loaded, last }) {
      const nowMs = steadyNowMs();
      for (const [port, untilMs] of unbindable) if (untilMs <= performance.now()) unbindable.delete(port);
      const claims = catalog.services.flatMap(claimsBy);
      const taken = new Map<number, string>();
      const whyBarred = (port: number): string | null => taken.get(port) ?? whyReserved(port);
      const decide = (): Model => modelOf({ claims, held, heldRevision, whyBarred, nowMs, lingerMs });

      const first = decide();
      const fresh = first.listeners.map(({ port }) => port).filter((port) => !loaded.has(port));
      const probed = await proxy.takenOf(fresh.flatMap((port) => bind.map((host) => ({ host, port }))));
      for (const { port } of probed) taken.set(port, 'is taken by another process');
      for (const port of unbindable.keys()) if (fresh.includes(port)) taken.set(port, 'can not be bound by HAProxy');

      const model = taken.size === 0 ? first : decide();
      // Who had a port that another process took keeps the claim to it.
      const robbed = held.filter(
        ({ name, port }) => whyBarred(port) !== null && !model.listeners.some((listener) => listener.name === name),
      );
      held = [...model.listeners, ...robbed];
      heldRevision = revision;
      const statsTaken = loaded.has(statsBind.port) ? [] : await proxy.takenOf([statsBind]);
      const offer = quarantine.offerOf(model, last);
      return { model: offer, statsBarred: statsTaken.length > 0 || unbindable.has(statsBind.port) };
    },
  };
}
