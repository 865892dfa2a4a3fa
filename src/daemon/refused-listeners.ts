import { blamedOf, withoutPosition } from '../core/haproxy/blame.js';
import type { Listener } from '../core/haproxy/listener.js';
import { ConfigurationRefusedError } from '../ports/proxy.js';

export interface Search {
  /** All that are wanted. */
  readonly listeners: readonly Listener[];
  /** What HAProxy said to all of them together. */
  readonly refusal: ConfigurationRefusedError;
  /** The configuration with these listeners. */
  readonly textOf: (listeners: readonly Listener[]) => string;
  /** @throws ConfigurationRefusedError where HAProxy would not take it */
  readonly check: (text: string) => Promise<void>;
}

/**
 * Which listeners HAProxy refuses, with its words: by the lines that it names, and where that does not settle it, by halves.
 *
 * @returns empty where it would refuse the others too: then the fault is not a listener's
 */
export async function refusedListeners({ listeners, refusal, textOf, check }: Search): Promise<Map<string, string>> {
  const refusalOf = async (some: readonly Listener[]): Promise<ConfigurationRefusedError | null> => {
    try {
      await check(textOf(some));
      return null;
    } catch (error) {
      if (error instanceof ConfigurationRefusedError) return error;
      throw error;
    }
  };
  const names = new Set(listeners.map(({ name }) => name));
  const blamed = blamedOf(refusal.alerts, { text: textOf(listeners), names });
  const others = listeners.filter(({ name }) => !blamed.has(name));
  if (blamed.size > 0 && (await refusalOf(others)) === null) return blamed;
  const sound: Listener[] = [];
  if ((await refusalOf(sound)) !== null) return new Map();

  const refused = new Map<string, string>();
  /** Adds to `sound` what HAProxy takes beside it, one half after the other. */
  const divide = async (part: readonly Listener[]): Promise<void> => {
    if (part.length === 0) return;
    const error = await refusalOf([...sound, ...part]);
    const [only] = part;
    if (error === null) sound.push(...part);
    else if (part.length === 1 && only !== undefined) refused.set(only.name, withoutPosition(error.alerts[0] ?? ''));
    else {
      await divide(part.slice(0, part.length / 2));
      await divide(part.slice(part.length / 2));
    }
  };
  await divide(listeners);
  return refused;
}
