import type { DaemonMetrics } from '../core/metrics/daemon.js';
import type { Meter } from '../ports/meter.js';
import type { Registry } from '../ports/registry.js';

/** A registry whose requests are timed and counted. What was cancelled is none. */
export function meteredRegistry(
  registry: Registry,
  { meter, metrics }: { readonly meter: Meter; readonly metrics: DaemonMetrics },
): Registry {
  const fail = (operation: string, signal: AbortSignal): void => {
    if (!signal.aborted) meter.count(metrics.etcdFailures, { operation });
  };
  const timed = async <T>(
    operation: string,
    signal: AbortSignal,
    ask: () => Promise<T>,
    wasAsked: (answer: T) => boolean = () => true,
  ): Promise<T> => {
    const askedAt = performance.now();
    const observe = (): void => {
      if (signal.aborted) return;
      meter.observe(metrics.etcdRequestSeconds, { operation }, (performance.now() - askedAt) / 1000);
    };
    try {
      const answer = await ask();
      if (wasAsked(answer)) observe();
      return answer;
    } catch (error) {
      fail(operation, signal);
      observe();
      throw error;
    }
  };
  return {
    list: (signal) => timed('list', signal, () => registry.list(signal)),
    async *pages(signal) {
      const pages = registry.pages(signal)[Symbol.asyncIterator]();
      for (;;) {
        // That there are no more came with the last one.
        const page = await timed(
          'list',
          signal,
          () => pages.next(),
          ({ done }) => done !== true,
        );
        if (page.done === true) return;
        yield page.value;
      }
    },
    listOwn: (lease, keys, signal) => timed('list_own', signal, () => registry.listOwn(lease, keys, signal)),
    revision: (signal) => timed('poll', signal, () => registry.revision(signal)),
    countKeys: (signal) => timed('poll', signal, () => registry.countKeys(signal)),
    fingerprint: (signal) => timed('poll', signal, () => registry.fingerprint(signal)),
    // A watch lasts: its time says nothing.
    watch: (revision, onEvents, signal) =>
      registry.watch(revision, onEvents, signal).catch((error: unknown) => {
        fail('watch', signal);
        throw error;
      }),
    apply: (diff, lease, signal) => {
      const apply = (): ReturnType<Registry['apply']> => registry.apply(diff, lease, signal);
      // Nothing to put or delete is no request.
      return diff.puts.length + diff.deletes.length === 0 ? apply() : timed('apply', signal, apply);
    },
    grantLease: (ttlMs, signal) => timed('grant_lease', signal, () => registry.grantLease(ttlMs, signal)),
    keepAlive: (lease, signal) => timed('keep_alive', signal, () => registry.keepAlive(lease, signal)),
    leaseTime: (lease, signal) => timed('lease_time', signal, () => registry.leaseTime(lease, signal)),
    livingLeases: (revision, signal) => timed('lease_time', signal, () => registry.livingLeases(revision, signal)),
    revoke: (lease, signal) => timed('revoke', signal, () => registry.revoke(lease, signal)),
  };
}
