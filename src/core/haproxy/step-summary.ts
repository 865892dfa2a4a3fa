import { formatAddress } from '../address.js';
import { compareText } from '../catalog.js';
import type { Step } from './plan.js';

/** So many listeners are named; a burst touches hundreds. */
const namedListeners = 3;
/** So many servers of a listener are named, for each thing that is done to them. */
const namedServers = 3;

/** What is done to a server, in the order in which it is told. */
const deeds = ['added', 'moved', 'reweighted', 'made ready', 'draining', 'taken out', 'cut off', 'removed'] as const;

/** Steps in a few words for a person: `whoami:8000: 3f53bb00af94 at 198.18.0.20:49153 added; db:5432: 12 removed`. */
export function summaryOfSteps(steps: readonly Step[]): string {
  const changes = changesOf(steps);
  const more = changes.length - namedListeners;
  return [
    ...changes.slice(0, namedListeners),
    ...(more > 0 ? [`${String(more)} more ${more === 1 ? 'listener' : 'listeners'}`] : []),
  ].join('; ');
}

/** The same, a text for each listener, sorted. */
export function changesOf(steps: readonly Step[]): string[] {
  const byListener = new Map<string, Step[]>();
  for (const step of steps) {
    const own = byListener.get(step.listener);
    if (own === undefined) byListener.set(step.listener, [step]);
    else own.push(step);
  }
  return [...byListener].sort(([a], [b]) => compareText(a, b)).map(([listener, own]) => `${listener}: ${deedsOf(own)}`);
}

function deedsOf(steps: readonly Step[]): string {
  const removed = new Set(steps.flatMap(({ kind, server }) => (kind === 'delete' ? [server] : [])));
  // A server that goes is first taken out, which is no news of its own.
  const told = steps.filter(({ kind, server }) => kind !== 'maint' || !removed.has(server));
  return deeds
    .flatMap((deed) => {
      const done = told.filter((step) => deedOf(step) === deed);
      if (done.length === 0) return [];
      return [`${done.length > namedServers ? String(done.length) : done.map(serverText).join(', ')} ${deed}`];
    })
    .join(', ');
}

/** With the address where it is news. */
function serverText(step: Step): string {
  if (step.kind === 'add') return `${step.server} at ${step.line.address}`;
  return step.kind === 'move' ? `${step.server} to ${formatAddress(step)}` : step.server;
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
