import type { ShownEndpoint, ShownListener } from './state.js';

/** What of the services is shown. */
export interface Filter {
  /** Lower case; words that must all be found. */
  readonly words: readonly string[];
  readonly only: 'up' | 'down' | 'stale' | null;
}

export const showAll: Filter = { words: [], only: null };

export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Sorted by name. A listener that is shown whole is the same object. */
export function filtered(listeners: Iterable<ShownListener>, filter: Filter): ShownListener[] {
  return [...listeners]
    .sort(({ name: a }, { name: b }) => (a < b ? -1 : 1))
    .flatMap((listener) => {
      const endpoints = listener.endpoints.filter((endpoint) => isShown(listener, endpoint, filter));
      if (endpoints.length === listener.endpoints.length && endpoints.length > 0) return [listener];
      if (endpoints.length > 0) return [{ ...listener, endpoints }];
      // One without endpoints has no state that could be asked for.
      return listener.endpoints.length === 0 && filter.only === null && areIn(filter.words, textOf(listener))
        ? [listener]
        : [];
    });
}

function isShown(listener: ShownListener, endpoint: ShownEndpoint, { words, only }: Filter): boolean {
  const isOfKind = only === null || (only === 'stale' ? endpoint.stale : endpoint.state.kind === only);
  if (!isOfKind || words.length === 0) return isOfKind;
  const { id, address, zone, state, stale } = endpoint;
  return areIn(words, `${textOf(listener)} ${id} ${address} ${zone ?? ''} ${state.word} ${stale ? 'stale' : ''}`);
}

function textOf({ name, port, routes }: ShownListener): string {
  return `${name} :${String(port ?? '')} ${routes.join(' ')}`;
}

function areIn(words: readonly string[], text: string): boolean {
  const low = text.toLowerCase();
  return words.every((word) => low.includes(word));
}
