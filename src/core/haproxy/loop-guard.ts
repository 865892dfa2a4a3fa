import { formatAddress, isIPv4, isLoopback } from '../address.js';
import type { Endpoint, Problem, Service } from '../catalog.js';
import type { BindAddress } from './bind.js';
import { allAdmitted, type Admitted } from './client-policy.js';
import type { FixedBind, FixedName } from './fixed-binds.js';
import type { Model } from './model.js';

/** Where HAProxy of this host takes connections for services. */
export interface Listening {
  /** Where every listener is opened. */
  readonly bind: readonly string[];
  readonly fixed: readonly FixedBind[];
}

export interface LoopGuard {
  /**
   * The model without endpoints at which HAProxy would connect to itself. Each connection to such a one becomes another without
   * end, until none is left for any service of the host. They lead to some listener, not just to their own: two that lead to
   * each other are a loop as well.
   *
   * An endpoint at an open port that another process has does not come here: there is no listener on that port.
   */
  without(input: LoopInput): Model;
}

export interface LoopInput {
  readonly services: readonly Service[];
  /** What they ask for, and what comes of it. */
  readonly admitted: Admitted;
  readonly model: Model;
  readonly decide: (admitted: Admitted) => Model;
  /** Addresses of the machine's interfaces; the same object until one of them changes. */
  readonly interfaces: ReadonlySet<string>;
  /** Nobody may open it here. */
  readonly isBarred: (port: number) => boolean;
  /** What of `fixed` is not open. */
  readonly closed: ReadonlySet<FixedName>;
}

/** @param admit for what is left of a service */
export function createLoopGuard({ bind, fixed }: Listening, admit: (service: Service) => Admitted): LoopGuard {
  const entrances = fixed.filter(({ name }) => name !== 'stats page');
  const hosts = [...new Set([...bind, ...entrances.map((one) => one.bind.host)])];
  /** Endpoints at addresses where HAProxy listens, of each service that has one; most have none, and cost one look. */
  let here = new WeakMap<Service, readonly Endpoint[]>();
  let hereFor: ReadonlySet<string> | null = null;
  const rests = new WeakMap<Service, { readonly keys: string; readonly admitted: Admitted }>();

  const endpointsHere = (service: Service, interfaces: ReadonlySet<string>): readonly Endpoint[] => {
    const known = here.get(service);
    if (known !== undefined) return known;
    const { claims, forbidden } = admit(service);
    const isOut = new Set(forbidden.map(({ key }) => key));
    const found = (claims.length === 0 ? [] : service.endpoints).filter(
      ({ key, address }) => hosts.some((host) => isAt(host, address.host, interfaces)) && !isOut.has(key),
    );
    here.set(service, found.length === 0 ? none : found);
    return found;
  };

  /** What is admitted of a service without these; the same object while they are the same. */
  const restOf = (service: Service, left: readonly Endpoint[]): Admitted => {
    const keys = left.map(({ key }) => key).join(' ');
    const known = rests.get(service);
    if (known?.keys === keys) return known.admitted;
    const out = new Set(left);
    const { claims, forbidden } = admit({ ...service, endpoints: service.endpoints.filter((one) => !out.has(one)) });
    const admitted = { claims, forbidden: [...forbidden, ...left.map(problemOf)] };
    rests.set(service, { keys, admitted });
    return admitted;
  };

  return {
    without({ services, admitted, model, decide, interfaces, isBarred, closed }) {
      if (hereFor !== interfaces) [here, hereFor] = [new WeakMap(), interfaces];
      const local = services.filter((service) => endpointsHere(service, interfaces).length > 0);
      if (local.length === 0) return model;
      // Each port that somebody asks for and may have is opened for one of them, or would be where the limit has room again. What is
      // left out takes no port that is not among these, so that one look is enough.
      const asked = admitted.claims.filter(({ listener: { port } }) => !isBarred(port));
      const ports = new Set([
        ...asked.map(({ listener }) => listener.port),
        ...model.listeners.filter(({ isOpen }) => isOpen).map(({ port }) => port),
      ]);
      const open = entrances.filter(({ name }) => !closed.has(name)).map((one) => one.bind);
      const leadsBack = ({ address: { host, port } }: Endpoint): boolean =>
        (ports.has(port) && bind.some((own) => isAt(own, host, interfaces))) ||
        open.some((entrance) => entrance.port === port && isAt(entrance.host, host, interfaces));
      const rest = new Map<Service, Admitted>();
      for (const service of local) {
        const left = endpointsHere(service, interfaces).filter(leadsBack);
        if (left.length > 0) rest.set(service, restOf(service, left));
      }
      if (rest.size === 0) return model;
      return decide(allAdmitted(services.map((service) => rest.get(service) ?? admit(service))));
    },
  };
}

const none: readonly Endpoint[] = [];

/** Whether what is bound to a host, of BIND's form, gets what is sent to an address. */
function isAt(bound: BindAddress['host'], ip: string, interfaces: ReadonlySet<string>): boolean {
  const isAny4 = bound === '*' || bound === '0.0.0.0';
  if (bound !== '::' && !(isAny4 && isIPv4(ip))) return bound === ip;
  // All of 127.0.0.0/8 is the machine's own.
  return isLoopback(ip) || interfaces.has(ip);
}

function problemOf({ key, address }: Endpoint): Problem {
  return {
    key,
    reason: `${formatAddress(address)} is at this host's own port ${String(address.port)}, where HAProxy listens: it would lead to itself; give the service another port (SERVICE_PORT), or another here (MAP)`,
  };
}
