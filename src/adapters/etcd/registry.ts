import { EtcdLeaseInvalidError } from 'etcd3';
import { messageOf } from '../../core/errors.js';
import { DeniedError, LeaseLostError, type HeldEntry, type Registry } from '../../ports/registry.js';
import type { Call, EtcdClient } from './client.js';
import { isDenied, isFull, reasonOf, type Wanted } from './failure.js';
import { keepAliveOnce } from './keep-alive.js';
import { keysOfLease } from './keys-of-lease.js';
import { pagesOf } from './pages.js';
import { transactionsOf } from './transactions.js';
import { watchPrefix } from './watch.js';

/** Shorter than for other calls: a lease of 15 s has time for three that fail. */
const keepAliveTimeoutMs = 3_000;

/**
 * For a page of a listing. Where a thousand hosts list at once, etcd is busy for longer than other calls have: to ask the others for
 * the same, or to give up and ask anew, would keep it so.
 */
const pagePatience = { timeoutMs: 30_000, patienceMs: 10_000 };

export interface RegistryOptions {
  readonly client: EtcdClient;
  /** For messages: what was tried. */
  readonly hosts: readonly string[];
  /** What every key starts with, with the slash at its end. */
  readonly keyspace: string;
  /** For messages: what is put there. */
  readonly entries?: string;
}

const revoke = 'revoke the lease';

export function createRegistry({
  client,
  hosts,
  keyspace,
  entries: put = 'the registrations',
}: RegistryOptions): Registry {
  const apply = `take ${put}`;
  /** Leases need none, but what hangs on one that is revoked is deleted. */
  const rightOf = (what: string): Wanted['right'] => (what === apply || what === revoke ? 'readwrite' : 'read');
  const range = rangeOf(keyspace);
  const explained = async <T>(what: string, signal: AbortSignal, operation: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      if (signal.aborted || error instanceof LeaseLostError) throw error;
      const reason = reasonOf(error, { user: client.user(), right: rightOf(what), keyspace });
      const message = `etcd at ${hosts.join(', ')} did not ${what}: ${reason}`;
      throw isDenied(error) ? new DeniedError(message, { cause: error }) : new Error(message, { cause: error });
    }
  };

  const call = <T>(
    what: string,
    signal: AbortSignal,
    ask: Call<T>['ask'],
    limits: Pick<Call<T>, 'timeoutMs' | 'patienceMs'> = {},
  ): Promise<T> => explained(what, signal, () => client.call({ ask, signal, ...limits }));

  /** By the member that is asked, without a word with the others. */
  const byOne = (): { readonly serializable: boolean } => ({ serializable: !client.hasProxy() });

  const pages: Registry['pages'] = async function* (signal) {
    const list = 'list the registrations';
    // Whoever answers this lives, and is the one that is asked for the pages.
    await call(list, signal, ({ kv }, options) => kv.range({ key: range.key, count_only: true }, options));
    yield* pagesOf(range, (page) => call(list, signal, ({ kv }, options) => kv.range(page, options), pagePatience));
  };

  return {
    pages,

    async list(signal) {
      let revision = 0;
      const entries: HeldEntry[] = [];
      for await (const page of pages(signal)) {
        ({ revision } = page);
        entries.push(...page.entries);
      }
      return { revision, entries };
    },

    listOwn: (lease, keys, signal) => keysOfLease(lease, keys, (ask) => call('tell of our registrations', signal, ask)),

    revision: (signal) =>
      call('tell its revision', signal, async ({ kv }, options) => {
        // A key that nobody has, within what a user who may read the registrations may read.
        const { header } = await kv.range({ key: range.key, count_only: true, ...byOne() }, options);
        return Number(header.revision);
      }),

    countKeys: (signal) =>
      call('count the keys', signal, async ({ kv }, options) => {
        // From the index alone.
        const { count } = await kv.range({ ...range, count_only: true, ...byOne() }, options);
        return Number(count);
      }),

    fingerprint: (signal) =>
      call('answer the poll', signal, async ({ kv }, options) => {
        // One key of the answer is enough: the youngest. `count` is of the whole range, whatever the limit.
        const newest = { sort_target: 'Mod', sort_order: 'Descend', limit: 1, keys_only: true } as const;
        const { header, count, kvs } = await kv.range({ ...range, ...newest }, options);
        return { revision: Number(header.revision), count: Number(count), latest: Number(kvs[0]?.mod_revision ?? 0) };
      }),

    watch: (revision, onEvents, signal) =>
      explained('keep the watch', signal, async () => {
        const member = client.current();
        try {
          await watchPrefix({ member, range, revision, onEvents, signal });
          // Given up from here, perhaps as it did not tell of something. What is behind a proxy the next watch would share.
          if (member.isProxy()) client.leave(member);
        } catch (error) {
          client.leave(member);
          throw error;
        }
      }),

    apply: (diff, lease, signal) =>
      explained(apply, signal, async () => {
        const transactions = transactionsOf(diff, lease);
        let asked = 0;
        try {
          for (const success of transactions)
            await client.call({
              ask: ({ kv }, options) => {
                asked += 1;
                return kv.txn({ success }, options);
              },
              asksOfProxy: 1,
              signal,
            });
        } catch (error) {
          if (error instanceof EtcdLeaseInvalidError) throw new LeaseLostError(lease, { cause: error });
          if (!isFull(error)) throw error;
          // A full etcd refuses transactions whole, but still deletes: what is gone must not stay for that.
          for (const gone of diff.deletes.map((name) => ({ key: Buffer.from(name) })))
            await client.call({ ask: ({ kv }, options) => kv.deleteRange(gone, options), signal });
          if (diff.puts.length > 0) throw error;
        }
        return { mayRepeat: asked > transactions.length };
      }),

    grantLease: (ttlMs, signal) =>
      call(
        'grant a lease',
        signal,
        async ({ leaseClient }, options) =>
          (await leaseClient.leaseGrant({ TTL: Math.ceil(ttlMs / 1000) }, options)).ID,
      ),

    keepAlive: (lease, signal) =>
      call('answer the keep-alive', signal, (member, options) => keepAliveOnce(member, lease, options), {
        timeoutMs: keepAliveTimeoutMs,
      }),

    leaseTime: (lease, signal) =>
      call('tell of the lease', signal, async ({ leaseClient }, options) => {
        const { TTL, grantedTTL } = await leaseClient.leaseTimeToLive({ ID: lease }, options);
        // -1 for one that it does not know; 0 is less than a second.
        return Number(TTL) >= 0 ? { remainingMs: Number(TTL) * 1000, grantedMs: Number(grantedTTL) * 1000 } : null;
      }),

    livingLeases: (revision, signal) =>
      call('tell of the leases', signal, async ({ leaseClient }, options) => {
        try {
          const { header, leases } = await leaseClient.leaseLeases(options);
          // One that is behind may not know a lease that was granted since.
          return Number(header.revision) < revision ? null : new Set(leases.map(({ ID }) => ID));
        } catch (error) {
          // Not before etcd 3.3; and who may ask is not the same in all versions.
          if (isDenied(error) || /\bUNIMPLEMENTED\b/.test(messageOf(error))) return null;
          throw error;
        }
      }),

    revoke: (lease, signal) =>
      call(revoke, signal, async ({ leaseClient }, options) => {
        await leaseClient.leaseRevoke({ ID: lease }, options).catch((error: unknown) => {
          if (!(error instanceof EtcdLeaseInvalidError)) throw error;
        });
      }),
  };
}

/** All keys that start so: etcd's end of it is the last byte raised by one. Ours ends with a slash, never with 0xff. */
export function rangeOf(keyspace: string): { readonly key: Buffer; readonly range_end: Buffer } {
  const end = Buffer.from(keyspace);
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return { key: Buffer.from(keyspace), range_end: end };
}
