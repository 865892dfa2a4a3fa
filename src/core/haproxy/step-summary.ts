import { compareText } from '../catalog.js';
import type { Step } from './plan.js';

/** So many listeners are named; a burst touches hundreds. */
const namedListeners = 3;
/** So many servers of a listener are named, for each thing that is done to them. */
const namedServers = 3;

/** What is done to a server, in the order in which it is told. */
const deeds = ['added', 'moved', 'reweighted', 'made ready', 'draining', 'taken out', 'cut off', 'removed'] as const;

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
  // A server that goes is first taken out, which is no news of its own.
  const told = steps.filter(({ kind, server }) => kind !== 'maint' || !removed.has(server));
  return deeds
    .flatMap((deed) => {
      const servers = told.filter((step) => deedOf(step) === deed).map(({ server }) => server);
      if (servers.length === 0) return [];
      return [`${servers.length > namedServers ? String(servers.length) : servers.join(', ')} ${deed}`];
    })
    .join(', ');
}

function deedOf(step: Step): (typeof deeds)[number] {
  switch (step.kind) {
    case 'add':
      return 'added';
    case 'move':
      return 'moved';
    case 'weight':
      return step.weight === 0 ? 'draining' : 'reweighted';
    case 'ready':
      return 'made ready';
    case 'maint':
      return 'taken out';
    case 'shutdown sessions':
      return 'cut off';
    case 'delete':
      return 'removed';
  }
}
