import { loadService } from '../../bench/service.js';
import { startDiscover, startRegister } from '../e2e/support/pair.js';
import type { EngineHost, Lab } from '../lab/lab.js';
import { settled } from '../lab/settled.js';
import { waitFor } from '../lab/wait-for.js';
import type { Facts } from './facts.js';
import { fleetOn, type Fleet } from './fleet.js';
import { ttlMs, type BackendName, type ClientName } from './kinds.js';
import { startLoad, type Load } from './loading.js';
import type { Timeline } from './timeline.js';

/** Under load the whole time. */
export const services = [8001, 8002, 8003].map((port) => ({ name: `shop-${String(port)}`, port }));
/** Comes and goes: a reload each time. Nobody asks it anything. */
export const guest = { name: 'guest', port: 8010 };
/** On each back-end host, of each service. */
export const share = 2;
/** Requests per second to each service from each client host. */
const rate = 10;

/**
 * Short times, so that a short run meets what comes after them. Not `unless-stopped`: an engine that was killed ends its containers when
 * it starts again as if somebody had stopped them, and then leaves those out.
 */
export const registerSettings = `--restart always -e TTL=${String(ttlMs)}ms -e RESYNC=5s`;
const discoverSettings = '-e POLL=2s -e LINGER=5s -e HARD_STOP_AFTER=30s';

/** Has Node collect its garbage all the time, so that what grows is a leak. */
const collecting = `-e NODE_OPTIONS='--expose-gc --import=data:text/javascript,setInterval(gc,10000).unref()'`;

/** The lab with the pair, the services and the load on it, and what is known of all that happens there. */
export interface Stage {
  readonly lab: Lab;
  readonly fleets: readonly Fleet[];
  readonly loads: readonly Load[];
  readonly timeline: Timeline;
  readonly cuts: Facts['cuts'][number][];
  readonly deletions: Facts['deletions'][number][];
  readonly absences: Facts['absences'][number][];
  facts(): Facts;
}

export async function setStage(
  lab: Lab,
  timeline: Timeline,
  { collectsGarbage = false }: { collectsGarbage?: boolean } = {},
): Promise<Stage> {
  const more = collectsGarbage ? collecting : '';
  await loadService(
    lab.backends,
    [...services, guest].map(({ name }) => name),
  );
  const fleets = lab.backends.map(fleetOn);
  await settled(lab.backends.map((host) => startRegister(lab, host, `${registerSettings} ${more}`)));
  await settled(lab.clients.map((client) => startDiscover({ ...lab, client }, `${discoverSettings} ${more}`)));
  await settled(fleets.map(fill));
  const loads: Load[] = [];
  for (const client of lab.clients) loads.push(await startLoad(client, { rate, services }));
  const cuts: Facts['cuts'][number][] = [];
  const deletions: Facts['deletions'][number][] = [];
  const absences: Facts['absences'][number][] = [];
  const lives = (): Facts['lives'] => fleets.flatMap((fleet) => fleet.lives);
  const stage: Stage = {
    lab,
    fleets,
    loads,
    timeline,
    cuts,
    deletions,
    absences,
    facts: () => ({
      lives: lives(),
      sightings: Object.fromEntries(loads.map(({ client, sightings }) => [client, sightings])) as Facts['sightings'],
      cuts,
      deletions,
      absences,
    }),
  };
  await waitFor('every container to take traffic', () => lives().every((life) => isSettled(stage, life.id)));
  return stage;
}

/** As many of each service as there should be. */
export async function fill(fleet: Fleet): Promise<void> {
  for (const service of services) while (fleet.living(service.name).length < share) await fleet.start(service);
}

/** Every client host has had it in its pool. */
export function isSettled({ loads }: Stage, id: string): boolean {
  return loads.every(({ sightings }) => sightings.some(({ up }) => up.has(id)));
}

export function backendOf({ lab }: Stage, name: BackendName): EngineHost {
  return named(lab.backends, name);
}

export function clientOf({ lab }: Stage, name: ClientName): EngineHost {
  return named(lab.clients, name);
}

export function fleetOf({ fleets }: Stage, name: BackendName): Fleet {
  return named(fleets, name);
}

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const one = all.find((item) => item.name === name);
  if (one === undefined) throw new Error(`there is no ${name}`);
  return one;
}
