import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import type { Registry } from '../ports/registry.js';
import { createLasting } from './lasting.js';

export interface LeaseKeeper {
  /** The lease, granted now if there is none. */
  current(signal: AbortSignal): Promise<string>;
  /** The lease, or null while there is none. */
  peek(): string | null;
  /** How long it has been held, and how long ago etcd confirmed it, ms; null while there is none. */
  age(): { readonly heldMs: number; readonly unconfirmedMs: number } | null;
  /** The lease turned out to be gone. */
  drop(): void;
  /** Keeps the lease alive; calls `onLost` when it is gone. */
  run(onLost: () => void, signal: AbortSignal): Promise<void>;
}

/**
 * Holds the one lease of this host. It counts silence itself: a lease that was not confirmed for a TTL is taken for lost,
 * as etcd does.
 */
export function createLeaseKeeper({
  registry,
  ttlMs,
  log,
}: {
  registry: Pick<Registry, 'grantLease' | 'keepAlive'>;
  ttlMs: number;
  log: Logger;
}): LeaseKeeper {
  let lease: string | null = null;
  let grantedAt = 0;
  let confirmedAt = 0;

  const lose = (reason: string, onLost: () => void): void => {
    log.warn({ lease, reason }, 'lease lost; everything is registered again under a new one');
    lease = null;
    onLost();
  };

  return {
    async current(signal) {
      if (lease !== null) return lease;
      const askedAt = performance.now();
      const granted = await registry.grantLease(ttlMs, signal);
      lease = granted;
      [grantedAt, confirmedAt] = [askedAt, askedAt];
      log.info({ lease, ttlMs }, 'lease granted');
      return granted;
    },

    peek: () => lease,

    age() {
      const now = performance.now();
      return lease === null ? null : { heldMs: now - grantedAt, unconfirmedMs: now - confirmedAt };
    },

    drop() {
      lease = null;
    },

    async run(onLost, signal) {
      const fault = createLasting(log);
      let failures = 0;
      for (;;) {
        // A third of the TTL, so that two keep-alives may fail; after a failure sooner.
        await sleep(failures === 0 ? ttlMs / 3 : Math.min(ttlMs / 3, 1_000), undefined, { signal });
        if (lease === null) continue;
        const kept = lease;
        const askedAt = performance.now();
        try {
          const answer = await registry.keepAlive(kept, signal);
          if (lease !== kept) continue;
          if (answer === 'lost') lose('etcd no longer knows it', onLost);
          else confirmedAt = askedAt;
          fault.end('', { failures }, 'keep-alive works again');
          failures = 0;
        } catch (error) {
          signal.throwIfAborted();
          failures += 1;
          fault.tell('', { error: messageOf(error), failures }, 'keep-alive failed; trying again every second');
          if (lease === kept && performance.now() - confirmedAt > ttlMs) lose('not confirmed for a TTL', onLost);
        }
      }
    },
  };
}
