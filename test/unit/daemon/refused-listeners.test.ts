import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Listener } from '../../../src/core/haproxy/listener.js';
import { refusedListeners } from '../../../src/daemon/refused-listeners.js';
import { ConfigurationRefusedError } from '../../../src/ports/proxy.js';
import { listenerWith } from '../support/models.js';

const listeners = Array.from({ length: 20 }, (_, n) => listenerWith({ service: `s${String(n)}` }));
const textOf = (some: readonly Listener[]): string => some.map(({ name }) => `listen ${name}\n frob\n`).join('');
const namesIn = (text: string): string[] => [...text.matchAll(/^listen (.*)$/gm)].map(([, name]) => name ?? '');

async function search(
  isRefused: (names: readonly string[]) => boolean,
  alerts = ['no word of where'],
): Promise<{ refused: Record<string, string>; checks: number }> {
  let checks = 0;
  const check = (text: string): Promise<void> => {
    checks += 1;
    return isRefused(namesIn(text))
      ? Promise.reject(new ConfigurationRefusedError('refused', ['its own words']))
      : Promise.resolve();
  };
  const refusal = new ConfigurationRefusedError('refused', alerts);
  return { refused: Object.fromEntries(await refusedListeners({ listeners, refusal, textOf, check })), checks };
}

describe('the listeners that HAProxy refuses', () => {
  test('are those that its words name, if it takes the others', async () => {
    const { refused, checks } = await search((names) => names.includes('s3:8000'), ['[cfg:8] : unknown keyword']);
    expect(refused).toEqual({ 's3:8000': 'unknown keyword' });
    expect(checks).toBe(1);
  });

  test('are found by halves where its words do not name them, or not all', async () => {
    const bad = ['s3:8000', 's17:8000'];
    const isRefused = (names: readonly string[]): boolean => bad.some((name) => names.includes(name));
    const { refused, checks } = await search(isRefused, ['[cfg:8] : unknown keyword']);
    expect(refused).toEqual({ 's3:8000': 'its own words', 's17:8000': 'its own words' });
    expect(checks).toBeLessThan(25);
  });

  test('are none where it takes none of them either: then it is not they', async () => {
    expect(await search(() => true)).toEqual({ refused: {}, checks: 1 });
  });

  test('are the later of two that can not be together', async () => {
    const { refused } = await search((names) => names.includes('s4:8000') && names.includes('s9:8000'));
    expect(Object.keys(refused)).toEqual(['s9:8000']);
  });

  test('are exactly the bad ones, whichever they are', async () => {
    const some = fc.subarray(listeners.map(({ name }) => name));
    await fc.assert(
      fc.asyncProperty(some, async (bad) => {
        const { refused } = await search((names) => bad.some((name) => names.includes(name)));
        expect(Object.keys(refused).sort()).toEqual([...bad].sort());
      }),
    );
  });

  test('a failure that is no refusal is passed on', async () => {
    const refusal = new ConfigurationRefusedError('refused', ['words']);
    const check = (): Promise<void> => Promise.reject(new Error('no space left on device'));
    await expect(refusedListeners({ listeners, refusal, textOf, check })).rejects.toThrow('no space left');
  });
});
