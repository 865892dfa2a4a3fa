import type { Step } from './plan.js';

/** A step as one command of the runtime API. Names were validated: nothing in them ends or splits a command. */
export function commandOf({ kind, listener, server, weight }: Step): string {
  const words: Readonly<Record<Step['kind'], string>> = {
    'set weight': `set server ${listener}/${server} weight ${String(weight)}`,
  };
  return words[kind];
}
