import { overlap, type Facts, type Failure, type Life, type Sighting, type Span } from './facts.js';

/**
 * A request is a violation if and only if it failed (refused, reset, not answered within its time, or not with status 200) while, all
 * the time that it took, one endpoint of its service lived, could be reached, and was settled: the client's HAProxy had had it in its
 * pool before. What it takes out of the pool afterwards is no excuse. These are:
 */
export const excuses = {
  absent: 'HAProxy of that client host was killed (alone, or with docker-discover), and not ready again',
  killed: 'a container of the service was being killed at that moment: what it had in hand is lost',
  cut: 'the cable of a host of the service was pulled at that moment: what its containers had in hand is lost',
  nobody:
    'no endpoint of the service lived, could be reached and was settled all the time (nor one whose key was deleted by hand)',
} as const;

export type Excuse = keyof typeof excuses;

/** After the end of a fault so long, an endpoint has to be back in the pool. */
export const backWithinMs = 10_000;

/** @returns null for a violation */
export function excuseOf(failure: Failure, facts: Facts): Excuse | null {
  const { client, service } = failure;
  if (facts.absences.some((absence) => absence.client === client && overlap(absence, failure))) return 'absent';
  const own = facts.lives.filter((life) => life.service === service);
  if (own.some(({ killed }) => killed !== null && overlap(killed, failure))) return 'killed';
  const hosts = new Set(own.map(({ host }) => host));
  if (facts.cuts.some(({ host, fromMs, cutMs }) => hosts.has(host) && overlap({ fromMs, toMs: cutMs }, failure)))
    return 'cut';
  return own.some((life) => couldServe(life, failure, facts)) ? null : 'nobody';
}

/** It lived, could be reached and was settled as long as the request took. */
export function couldServe(life: Life, failure: Failure, facts: Facts): boolean {
  const { client } = failure;
  if (life.endingMs <= failure.toMs) return false;
  const settledMs = facts.sightings[client].find(({ up }) => up.has(life.id))?.atMs ?? Infinity;
  if (settledMs > failure.fromMs) return false;
  const away = facts.cuts
    .filter(({ host }) => host === life.host)
    .map((cut) => ({ ...cut, toMs: backMs(life, cut, failure, facts) }));
  const deleted = facts.deletions
    .filter(({ id }) => id === life.id)
    .map(({ atMs }) => ({ fromMs: atMs, toMs: seenAgainMs(life, atMs, facts.sightings[client]) }));
  return ![...away, ...deleted].some((span) => overlap(span, failure));
}

/** When it took traffic again, after it was seen not to. */
function seenAgainMs({ id }: Life, sinceMs: number, sightings: readonly Sighting[]): number {
  const gone = sightings.find(({ atMs, up }) => atMs > sinceMs && !up.has(id));
  if (gone === undefined) return sinceMs;
  return sightings.find(({ atMs, up }) => atMs > gone.atMs && up.has(id))?.atMs ?? Infinity;
}

/** When HAProxy had the endpoint in its pool again after a cut, or should have had it. */
function backMs({ id }: Life, { toMs }: Span, { client }: Failure, { sightings }: Facts): number {
  if (poolAt(sightings[client], toMs).has(id)) return toMs;
  const seen = sightings[client].find(({ atMs, up }) => atMs > toMs && up.has(id))?.atMs ?? Infinity;
  return Math.min(seen, toMs + backWithinMs);
}

/** Who took traffic at a moment. */
export function poolAt(sightings: readonly Sighting[], ms: number): ReadonlySet<string> {
  return sightings.findLast(({ atMs }) => atMs <= ms)?.up ?? new Set();
}
