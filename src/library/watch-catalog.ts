import { createEtcdClient } from '../adapters/etcd/client.js';
import { createRegistry } from '../adapters/etcd/registry.js';
import type { Catalog as InnerCatalog, Problem, Service as InnerService } from '../core/catalog.js';
import { parseEtcdHosts } from '../core/etcd-hosts.js';
import { keyspaceOf } from '../core/keyspace.js';
import { defaultLimits } from '../core/limits.js';
import { createCatalogSource } from '../daemon/catalog-source.js';
import { checkWatchOptions } from './arguments.js';
import { prefixOf, registrationOf } from './codec.js';
import type { Catalog, Logger, Service, WatchOptions } from './types.js';

const pollMs = 5_000;
const nothing = (): void => undefined;
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/**
 * Follows etcd, by the same code as docker-discover: gives the catalog as soon as etcd has answered, then anew after each
 * change. While etcd is away the catalog that was given last holds, and etcd is tried until it is back. Who is slow to take
 * a catalog gets the newest next, and not those between.
 *
 * The loop over it ends when `signal` fires, without an error; a `break` in it ends the watch too.
 *
 * @throws RangeError where an option is wrong, at once
 */
export function watchCatalog(options: WatchOptions): AsyncIterable<Catalog> {
  checkWatchOptions(options);
  const { signal, staleMs = 0, logger = silent } = options;
  const settings = { hosts: hostsOf(options.etcdHosts), prefix: prefixOf(options), staleMs, log: logger };
  return { [Symbol.asyncIterator]: () => follow(settings, signal) };
}

interface Settings {
  readonly hosts: readonly string[];
  readonly prefix: string;
  readonly staleMs: number;
  readonly log: Logger;
}

async function* follow(
  { hosts, prefix, staleMs, log }: Settings,
  signal: AbortSignal | undefined,
): AsyncGenerator<Catalog, void, undefined> {
  if (signal?.aborted === true) return;
  // The caller's signal may fire for any reason; the loops inside know an end by its AbortError.
  const end = new AbortController();
  const stop = (): void => {
    end.abort();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const state: { isChanged: boolean; ended: null | { readonly error: unknown } } = { isChanged: false, ended: null };
  let wake = nothing;

  const client = createEtcdClient({ hosts, tls: null, log });
  const source = createCatalogSource({
    registry: createRegistry({ client, hosts, keyspace: keyspaceOf(prefix) }),
    prefix,
    pollMs,
    initial: { revision: 0, entries: [], stale: [] },
    trust: () => null,
    staleMs,
    limits: defaultLimits,
    log,
    meter: { count: nothing, observe: nothing },
    onNews: nothing,
    onChange() {
      state.isChanged = true;
      wake();
    },
  });
  const running = source
    .run(end.signal)
    .catch((error: unknown) => (end.signal.aborted ? null : error))
    .then((error = null) => {
      state.ended = { error };
      wake();
    });
  const changeOrEnd = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
      if (state.isChanged || state.ended !== null) resolve();
    });

  try {
    const publish = createPublisher();
    for (;;) {
      await changeOrEnd();
      if (end.signal.aborted) return;
      if (state.ended !== null) throw state.ended.error;
      state.isChanged = false;
      const catalog = publish(source.catalog(), source.leftOut());
      if (catalog !== null) yield catalog;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    end.abort();
    await running;
    client.close();
  }
}

/** Makes catalogs of the library's from those inside; null where nothing has changed since the last one. */
function createPublisher(): (inner: InnerCatalog, leftOut: readonly Problem[]) => Catalog | null {
  const services = new WeakMap<InnerService, Service>();
  let last: readonly (readonly unknown[])[] = [];
  const serviceOf = (inner: InnerService): Service => {
    const { name, endpoints } = inner;
    const service = services.get(inner) ?? {
      name,
      endpoints: endpoints.map((one) => ({ ...registrationOf(one), key: one.key, stale: one.stale })),
    };
    services.set(inner, service);
    return service;
  };
  return (inner, leftOut) => {
    const { rejected, conflicting, beyond } = inner;
    const problems = [leftOut, rejected, conflicting, beyond.services, beyond.endpoints];
    const lists = [inner.services, ...problems];
    const isSame = lists.every((list, at) => list === last[at]);
    last = lists;
    return isSame ? null : { services: inner.services.map(serviceOf), problems: problems.flat() };
  };
}

/** @throws RangeError */
function hostsOf(members: readonly string[]): readonly string[] {
  const text = members.join();
  // A password must not come back in the message that refuses it.
  if (text.includes('@')) throw new RangeError('etcdHosts has a user or password in it, which can not be given there');
  const parsed = parseEtcdHosts(text);
  if (parsed.ok) return parsed.value;
  throw new RangeError(`etcdHosts: ${parsed.reason}`);
}
