import { formatValue, parseKey, parseValue } from './keyspace.js';

/** One key and the value that it gets. */
interface Put {
  readonly key: string;
  readonly value: string;
}

export interface Withdrawals {
  readonly prefix: string;
  /** Keys that this process held, as it last wrote them. */
  readonly before: ReadonlyMap<string, string>;
  /** All keys that stand in etcd. */
  readonly standing: ReadonlyMap<string, string>;
  readonly desired: ReadonlyMap<string, string>;
}

/**
 * What a client host was never told: a key that went with its lease, and whose container died meanwhile. Without a word it
 * counts as silent, and is kept for a while; so the key is put once more with `state=drain`, to be deleted after that.
 *
 * An address that stands under another key, or is about to, is left alone: it has a new owner, and the newest key of an address
 * wins.
 */
export function owedWithdrawals({ prefix, before, standing, desired }: Withdrawals): Put[] {
  const taken = new Set([...standing.values(), ...desired.values()].map(addressOf));
  return [...before].flatMap(([key, value]) => {
    if (standing.has(key) || desired.has(key) || taken.has(addressOf(value))) return [];
    const name = parseKey(prefix, key);
    const parsed = parseValue(value);
    if (!name.ok || !parsed.ok) return [];
    return [{ key, value: formatValue({ ...name.value, ...parsed.value, state: 'drain', eventAtMs: null }) }];
  });
}

function addressOf(value: string): string {
  return value.replace(/\?.*$/, '');
}
