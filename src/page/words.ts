import type { PageEndpoint } from '../core/page-update.js';

/** Colour and shape of a dot; the word beside it says the same. */
export type Tone = 'good' | 'bad' | 'warn' | 'off' | 'info';

/** What an endpoint is counted and filtered as. */
export type Kind = 'up' | 'down' | 'other';

export interface State {
  readonly tone: Tone;
  readonly word: string;
  readonly kind: Kind;
}

/**
 * HAProxy's word for a server, in ours.
 *
 * @param isOurs false where the proxy is another's, which tells nothing
 */
export function stateOf({ status }: Pick<PageEndpoint, 'status'>, isOurs: boolean): State {
  if (!isOurs) return { tone: 'info', word: 'registered', kind: 'other' };
  const [word = '', share = ''] = status.split(' ');
  if (status === 'no check') return { tone: 'good', word: 'unchecked', kind: 'up' };
  if (word === 'UP' && share === '') return { tone: 'good', word: 'up', kind: 'up' };
  // Some of its checks failed, and not yet all that it takes; or the first is yet to come.
  if (word === 'UP') return { tone: 'warn', word: `up ${share}`, kind: 'up' };
  if (word === 'DOWN') return { tone: 'bad', word: share === '' ? 'down' : `down ${share}`, kind: 'down' };
  if (word === 'DRAIN' || word === 'NOLB') return { tone: 'warn', word: 'draining', kind: 'other' };
  if (word === 'MAINT') return { tone: 'off', word: 'maint', kind: 'other' };
  return { tone: 'off', word: status, kind: 'other' };
}

/** Docker announces a kill too, a moment before: who drained for less than this did not leave, but was made to go. */
const leastDrainMs = 3_000;

/** One that drained, or that nobody knows a state of, has left; any other was killed, for all that can be seen from here. */
export function goneStateOf(before: State, heldMs: number): State {
  return before.tone === 'info' || (before.kind === 'other' && heldMs >= leastDrainMs)
    ? { tone: 'off', word: 'left', kind: 'other' }
    : { tone: 'bad', word: 'gone', kind: 'down' };
}

const units: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `12 s`, `5 min`, `3 h`, `2 d`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [size, unit] = units.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${String(Math.floor(seconds / size))} ${unit}`;
}

const grouped = new Intl.NumberFormat('en', { useGrouping: true });

export function numberText(value: number): string {
  return grouped.format(value);
}

export function plural(count: number, one: string, many: string): string {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}
