import { inspect } from 'node:util';

/** What the demo promises, and did not hold. */
export function check(holds: boolean, promise: string, seen: unknown): void {
  if (!holds) throw new Error(`not so: ${promise}; seen: ${inspect(seen)}`);
}
