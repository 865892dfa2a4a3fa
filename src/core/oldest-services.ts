import { compareText, type Endpoint, type Problem, type Service } from './catalog.js';
import { byAge } from './oldest.js';

/** What is within a limit, and what is beyond, sorted by key. */
export interface Cut<T> {
  readonly taken: readonly T[];
  readonly beyond: readonly Problem[];
}

const nothing: readonly Problem[] = [];

/** Of one service. A stale one gives way to one that stands: it may be of an etcd that counted otherwise. */
export function oldestEndpoints(
  endpoints: Endpoint[],
  most: number,
): { readonly taken: Endpoint[]; readonly beyond: readonly Problem[] } {
  if (endpoints.length <= most) return { taken: endpoints, beyond: nothing };
  const ordered = endpoints.sort((a, b) => Number(a.stale) - Number(b.stale) || byAge(a, b));
  const reason = `its service has more endpoints than ${String(most)} (MAX_ENDPOINTS), and it is not among the oldest`;
  return { taken: ordered.slice(0, most), beyond: problemsOf(ordered.slice(most), ({ key }) => key, reason) };
}

/**
 * Of all services, sorted by name, those with the oldest registrations.
 *
 * @returns what decides; where its list is the same object as before, so is its answer
 */
export function oldestServices(most: number): (services: readonly Service[]) => Cut<Service> {
  let before: readonly Service[] | null = null;
  let cut: Cut<Service> = { taken: [], beyond: nothing };
  /** Of services that are the same objects as before. */
  const ages = new WeakMap<Service, number>();
  const ageOf = (service: Service): number => {
    const since = ages.get(service) ?? sinceOf(service);
    ages.set(service, since);
    return since;
  };
  const reason = `there are more services than ${String(most)} (MAX_SERVICES), and it is not among the oldest`;
  return (services) => {
    if (services === before) return cut;
    before = services;
    if (services.length <= most) {
      cut = { taken: services, beyond: nothing };
      return cut;
    }
    // They come sorted by name, which decides where several are equally old.
    const last = Float64Array.from(services, ageOf).sort()[most - 1] ?? 0;
    let room = most - services.filter((service) => ageOf(service) < last).length;
    const taken = new Set(
      services.filter((service) => ageOf(service) < last || (ageOf(service) === last && room-- > 0)),
    );
    cut = {
      taken: [...taken],
      beyond: problemsOf(
        services.filter((service) => !taken.has(service)),
        ({ name }) => name,
        reason,
      ),
    };
    return cut;
  };
}

/** Create revision of its oldest registration. */
function sinceOf({ endpoints }: Service): number {
  return endpoints.reduce((least, { createRevision }) => Math.min(least, createRevision), Infinity);
}

function problemsOf<T>(items: Iterable<T>, keyOf: (item: T) => string, reason: string): readonly Problem[] {
  return [...items].map((item) => ({ key: keyOf(item), reason })).sort((a, b) => compareText(a.key, b.key));
}

/** The lists of several services in one; the same object until one of them changes. */
export function createJoined(): (lists: readonly { readonly beyond: readonly Problem[] }[]) => readonly Problem[] {
  let before: readonly unknown[] | null = null;
  let joined = nothing;
  return (lists) => {
    if (lists === before) return joined;
    before = lists;
    joined =
      lists.length === 0 ? nothing : lists.flatMap(({ beyond }) => beyond).sort((a, b) => compareText(a.key, b.key));
    return joined;
  };
}
