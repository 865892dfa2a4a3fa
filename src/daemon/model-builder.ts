import {
  admittedBy,
  allAdmitted,
  isServed,
  whyBarredBy,
  type Admitted,
  type ClientPolicy,
} from '../core/haproxy/client-policy.js';
import type { Catalog, Service } from '../core/catalog.js';
import { fixedBindsOf, type FixedAddresses, type FixedBind } from '../core/haproxy/fixed-binds.js';
import type { HeldListener } from '../core/haproxy/listener.js';
import { createLoopGuard } from '../core/haproxy/loop-guard.js';
import type { Barred, Model } from '../core/haproxy/model.js';
import { createModeler } from '../core/haproxy/modeler.js';
import type { Circumstances } from '../core/haproxy/view.js';
import type { Proxy } from '../ports/proxy.js';
import { steadyNowMs } from './clock.js';
import type { CheckPacer } from './check-pacer.js';
import { createQuarantine, type Last, type Quarantine } from './quarantine.js';

/** How long a port that HAProxy could not bind, although the probe could, is left alone. */
const unbindableMs = 30_000;

export interface ModelBuilder {
  /**
   * The model that HAProxy can take: listeners whose port another process has are left out.
   *
   * @param isLive the catalog is what etcd says now
   * @param loaded ports that the running worker has, and that need no look
   */
  build(input: {
    catalog: Catalog;
    revision: number;
    isLive: boolean;
    loaded: ReadonlySet<number>;
    last: Last;
  }): Promise<BuiltModel>;
  /** HAProxy could not bind these. */
  bar(ports: readonly number[]): void;
  /** What of it HAProxy refuses, listener by listener. */
  readonly quarantine: Omit<Quarantine, 'offerOf'>;
}

/** What HAProxy is to be, as far as it can be just now. */
export interface BuiltModel extends Circumstances {
  readonly model: Model;
}

/** What HAProxy binds for it. */
export function portsOf({ model, barred }: BuiltModel, addresses: FixedAddresses): ReadonlySet<number> {
  const free = fixedBindsOf(addresses).filter(({ name }) => !barred.has(name));
  return new Set([
    ...model.listeners.filter(({ isOpen }) => isOpen).map(({ port }) => port),
    ...free.map(({ bind }) => bind.port),
  ]);
}

/** What this host is like. */
export interface HostOptions {
  /** Where every listener is opened. */
  readonly bind: readonly string[];
  readonly fixed: readonly FixedBind[];
  /** Ports that no service may have here, and what they are for. */
  readonly reserved: ReadonlyMap<number, string>;
  readonly hasEntrance: boolean;
  /** Directory of the certificates that can be used now. */
  readonly certificates: () => string | null;
  readonly policy: ClientPolicy;
  /**
   * Addresses of the machine's interfaces, the same object until one of them changes; null where the proxy is not ours: on what that one
   * listens its template says.
   */
  readonly interfaces: (() => ReadonlySet<string>) | null;
  readonly lingerMs: number;
  readonly mostListeners: number;
  /** Decides how often HAProxy checks. */
  readonly pacer: CheckPacer;
}

export interface ModelBuilderOptions extends HostOptions {
  readonly proxy: Pick<Proxy, 'takenOf'>;
  /** What held the ports when the daemon last ran, and the revision of etcd at which it did. */
  readonly held: readonly HeldListener[];
  readonly heldRevision: number;
}

export function createModelBuilder({
  proxy,
  bind,
  fixed,
  reserved,
  hasEntrance,
  certificates,
  policy,
  interfaces,
  lingerMs,
  mostListeners,
  pacer,
  ...initial
}: ModelBuilderOptions): ModelBuilder {
  // What is denied now does not linger.
  let held: readonly HeldListener[] = initial.held.filter(({ service }) => isServed(policy, service));
  let heldRevision = initial.heldRevision;
  const unbindable = new Map<number, number>();
  /** A service that did not change since is the same object, and asks for the same. */
  const known = new WeakMap<Service, Admitted>();
  const quarantine = createQuarantine();

  const whyReserved = whyBarredBy(policy, reserved);
  const admit = admittedBy(policy);
  const admittedOf = (service: Service): Admitted => {
    const admitted = known.get(service) ?? admit(service);
    known.set(service, admitted);
    return admitted;
  };
  const loops = createLoopGuard({ bind, fixed }, admittedOf);
  let asked: { readonly services: Catalog['services']; readonly admitted: Admitted } | null = null;
  const admittedOfAll = (services: Catalog['services']): Admitted => {
    if (asked?.services !== services) asked = { services, admitted: allAdmitted(services.map(admittedOf)) };
    return asked.admitted;
  };
  const modelers = { first: createModeler(), withoutTaken: createModeler(), withoutLoops: createModeler() };

  return {
    quarantine,

    bar(ports) {
      for (const port of ports) unbindable.set(port, performance.now() + unbindableMs);
    },

    async build({ catalog, revision, isLive, loaded, last }) {
      const nowMs = steadyNowMs();
      for (const [port, untilMs] of unbindable) if (untilMs <= performance.now()) unbindable.delete(port);
      const admitted = admittedOfAll(catalog.services);
      const taken = new Map<number, Barred>();
      const whyBarred = (port: number): Barred | null => taken.get(port) ?? whyReserved(port);
      const decide = (modeler: keyof typeof modelers, those: Admitted): Model =>
        modelers[modeler]({ ...those, held, heldRevision, hasEntrance, whyBarred, nowMs, lingerMs, mostListeners });

      const first = decide('first', admitted);
      const unopened = first.listeners.filter(({ port, isOpen }) => isOpen && !loaded.has(port));
      const fresh = unopened.map(({ port }) => port);
      const probed = await proxy.takenOf(fresh.flatMap((port) => bind.map((host) => ({ host, port }))));
      for (const { port } of probed) taken.set(port, { reason: 'is taken by another process', byPolicy: false });
      for (const port of unbindable.keys())
        if (fresh.includes(port)) taken.set(port, { reason: whyUnbindable(port), byPolicy: false });

      const unsure = fixed.filter(({ bind: { port } }) => !loaded.has(port));
      const lost = new Set((await proxy.takenOf(unsure.map((one) => one.bind))).map(({ port }) => port));
      const barred = fixed.filter(({ bind: { port } }) => lost.has(port) || unbindable.has(port));
      const closed = new Set(barred.map(({ name }) => name));

      let model = taken.size === 0 ? first : decide('withoutTaken', admitted);
      if (interfaces !== null)
        model = loops.without({
          services: catalog.services,
          admitted,
          model,
          decide: (rest) => decide('withoutLoops', rest),
          interfaces: interfaces(),
          isBarred: (port) => whyBarred(port) !== null,
          closed,
        });
      // Who had a port that another process took keeps the claim to it.
      const robbed = held.filter(({ port, isOpen }) => isOpen && whyBarred(port) !== null);
      held = robbed.length === 0 ? model.listeners : withClaimsOf(robbed, model.listeners);
      heldRevision = revision;

      return {
        model: quarantine.offerOf(model, last),
        barred: closed,
        certificates: certificates(),
        pace: pacer.paceFor(model.listeners, isLive),
      };
    },
  };
}

function withClaimsOf(robbed: readonly HeldListener[], listeners: readonly HeldListener[]): HeldListener[] {
  const names = new Set(robbed.map(({ name }) => name));
  const there = new Set(listeners.map(({ name }) => name));
  return [
    ...listeners.map((one) => (names.has(one.name) ? { ...one, isOpen: true } : one)),
    ...robbed.filter(({ name }) => !there.has(name)),
  ];
}

/** HAProxy's own words tell no more than that it could not. */
function whyUnbindable(port: number): string {
  const mend =
    port < 1024 ? '; below 1024 it needs the capability NET_BIND_SERVICE, or a sysctl: docs/security.md' : '';
  return `can not be bound by HAProxy${mend}`;
}
