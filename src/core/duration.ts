import { accept, reject, type Parsed } from './result.js';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `500ms`, `15s`, `2m`, `1h` → milliseconds. A number without a unit is refused: nobody knows which one was meant. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text.trim());
  const [, amount, unit] = match ?? [];
  if (amount === undefined || unit === undefined)
    return reject('is not a duration: give a number and a unit, like 500ms, 15s, 2m or 1h');
  return accept(Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs]));
}

/** Milliseconds → the largest unit that shows them whole: 15000 → `15s`. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (ms >= unitMs[unit] && ms % unitMs[unit] === 0) return `${String(ms / unitMs[unit])}${unit}`;
  }
  return `${String(ms)}ms`;
}
