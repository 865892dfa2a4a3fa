import { GRPCResourceExhastedError, type IRangeResponse, type KVClient } from 'etcd3';
import type { Listing } from '../../ports/registry.js';
import { entryOf } from './entry.js';

type Range = Parameters<KVClient['range']>[0];

/**
 * A megabyte or two of what the pair writes. etcd counts with each page all that are left, so small ones would cost it more:
 * ten times as much for 50,000 keys in pages of 1,000.
 */
const mostKeys = 10_000;

/**
 * All keys of a range as they stood at one revision, page by page, so that neither etcd nor we have all of them in hand at
 * once. A page that is more than a connection takes is asked for again in smaller ones: a key may have a value of 1.5 MB.
 *
 * @param ask one page
 */
export async function* pagesOf(
  { key, range_end }: { readonly key: Buffer; readonly range_end: Buffer },
  ask: (range: Range) => Promise<IRangeResponse>,
): AsyncGenerator<Listing, void, undefined> {
  let from = key;
  let limit = mostKeys;
  let revision: string | null = null;
  for (;;) {
    let page: IRangeResponse;
    try {
      page = await ask({ key: from, range_end, limit, ...(revision !== null && { revision }) });
    } catch (error) {
      if (!isTooLarge(error) || limit === 1) throw error;
      limit = Math.max(1, limit >> 2);
      continue;
    }
    revision ??= page.header.revision;
    yield { revision: Number(revision), entries: page.kvs.map(entryOf) };
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return;
    // The next key that there can be.
    from = Buffer.concat([last.key, Buffer.of(0)]);
    limit = Math.min(mostKeys, limit * 2);
  }
}

/** More than `max_receive_message_length`. */
function isTooLarge(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof GRPCResourceExhastedError && /larger than max/.test(cause.message)) return true;
  return false;
}
