import { compareText } from '../catalog.js';
import type { Step } from './plan.js';

/** So many listeners are named; a burst touches hundreds. */
const namedListeners = 3;
/** So many servers of a listener are named, for each thing that is done to them. */
const namedServers = 3;

/** What is done to a server, in the order in which it is told; a server that goes is first taken out, which is no news of its own. */
const words: readonly (readonly [Step['kind'], string])[] = [
  ['add', 'added'],
  ['move', 'moved'],
  ['weight', 'reweighted'],
  ['ready', 'made ready'],
  ['maint', 'taken out'],
  ['shutdown sessions', 'cut off'],
  ['delete', 'removed'],
];

/** Steps in a few words for a person: `whoami:8000: 3f53bb00af94 added; db:5432: 12 removed`. */
export function summaryOfSteps(steps: readonly Step[]): string {
  const byListener = new Map<string, Step[]>();
  for (const step of steps) {
    const own = byListener.get(step.listener);
    if (own === undefined) byListener.set(step.listener, [step]);
    else own.push(step);
  }
  const named = [...byListener].sort(([a], [b]) => compareText(a, b)).slice(0, namedListeners);
  const more = byListener.size - named.length;
  return [
    ...named.map(([listener, own]) => `${listener}: ${deedsOf(own)}`),
    ...(more > 0 ? [`${String(more)} more listeners`] : []),
  ].join('; ');
}

function deedsOf(steps: readonly Step[]): string {
  const removed = new Set(steps.flatMap(({ kind, server }) => (kind === 'delete' ? [server] : [])));
  const told = steps.filter(({ kind, server }) => kind !== 'maint' || !removed.has(server));
  const deeds = words.flatMap(([kind, word]) => {
    const servers = told.flatMap((step) => (step.kind === kind ? [deedOn(step)] : []));
    if (servers.length === 0) return [];
    return [`${servers.length > namedServers ? String(servers.length) : servers.join(', ')} ${word}`];
  });
  return deeds.join(', ');
}

function deedOn(step: Step): string {
  return step.kind === 'weight' ? `${step.server} (weight ${String(step.weight)})` : step.server;
}
