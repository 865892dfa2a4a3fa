import type { Parsed } from '../../../src/core/result.js';

/** The value that a parser accepted; throws with its reason where it did not. */
export function accepted<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Error(`rejected, although it should be accepted: ${parsed.reason}`);
  return parsed.value;
}

/** The reason for which a parser rejected; throws where it accepted. */
export function reasonOf(parsed: Parsed<unknown>): string {
  if (parsed.ok) throw new Error(`accepted, although it should be rejected: ${JSON.stringify(parsed.value)}`);
  return parsed.reason;
}
