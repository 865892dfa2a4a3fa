import { inspect } from 'node:util';
import { keys, ls } from '../e2e/support/pair.js';
import { waitFor } from '../lab/wait-for.js';
import type { Stage } from './stage.js';

/**
 * Waits until etcd, and the pool of every client host, have the living containers and nothing else, each of them up.
 *
 * @returns null, or what differed to the last
 */
export async function poolsSettle(stage: Stage, withinMs: number): Promise<string | null> {
  const { lab, fleets } = stage;
  const living = fleets.flatMap((fleet) => fleet.living().map(({ service, id }) => `${service}/${id}`)).sort();
  const differing = async (): Promise<string[]> => {
    const stored = (await keys(lab)).map((key) => key.replace(/^\/backends\//, ''));
    const found = [differenceOf('etcd', stored, living)];
    for (const client of lab.clients) {
      const { listeners } = await ls({ ...lab, client });
      const pool = listeners.flatMap(({ service, endpoints }) =>
        // An endpoint that is kept though its lease is gone is one that should not be there.
        endpoints.map(
          ({ id, status, stale }) => `${service}/${id}${status === 'UP' ? '' : ` ${status}`}${stale ? ' stale' : ''}`,
        ),
      );
      found.push(differenceOf(client.name, pool, living));
    }
    return found.filter((text) => text !== '');
  };
  try {
    await waitFor('the pools to equal the living containers', async (seen) => seen(await differing()).length === 0, {
      timeoutMs: withinMs,
      intervalMs: 200,
    });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : inspect(error);
  }
}

function differenceOf(where: string, found: readonly string[], wanted: readonly string[]): string {
  const missing = wanted.filter((one) => !found.includes(one));
  const extra = found.filter((one) => !wanted.includes(one));
  if (missing.length === 0 && extra.length === 0) return '';
  return `${where} lacks [${missing.join(', ')}] and has [${extra.join(', ')}]`;
}
