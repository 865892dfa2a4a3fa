import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import { leaseText } from '../core/lease.js';
import type { Logger } from '../ports/log.js';
import type { Registry } from '../ports/registry.js';
import { createLasting } from './lasting.js';

export interface LeaseKeeper {
  /** The lease, granted now if there is none. */
  current(signal: AbortSignal): Promise<string>;
  /** The lease, or null while there is none. */
  peek(): string | null;
  /** The same, or null while etcd has not confirmed it for a TTL either. */
  confirmed(): string | null;
  /** How long it has been held, and how long ago etcd confirmed it, ms; null while there is none. */
  age(): { readonly heldMs: number; readonly unconfirmedMs: number } | null;
  /** The lease turned out to be gone. */
  drop(): void;
  /**
   * Keeps the lease alive.
   *
   * @param onDoubt called when it is gone, and whenever etcd has not confirmed it for a TTL: its keys may be gone then, or stand
   */
  run(onDoubt: (isLost: boolean) => void, signal: AbortSignal): Promise<void>;
}

/**
 * Holds the one lease of this host. After a silence it is etcd's to tell whether the lease still lives: one that restarts, or has
 * another leader, gives each lease its whole TTL again, and then nothing needs to be registered anew.
 */
export function createLeaseKeeper({
  registry,
  ttlMs,
  log,
  onLost = () => undefined,
}: {
  registry: Pick<Registry, 'grantLease' | 'keepAlive'>;
  ttlMs: number;
  log: Logger;
  /** Whoever has found it out. */
  onLost?: () => void;
}): LeaseKeeper {
  let lease: string | null = null;
  let grantedAt = 0;
  let confirmedAt = 0;
  let doubtedAt = 0;

  const drop = (): void => {
    if (lease === null) return;
    log.warn(
      { lease: leaseText(lease) },
      'lease lost, etcd no longer knows it; everything is registered again under a new one',
    );
    lease = null;
    onLost();
  };

  return {
    async current(signal) {
      if (lease !== null) return lease;
      const askedAt = performance.now();
      const granted = await registry.grantLease(ttlMs, signal);
      lease = granted;
      [grantedAt, confirmedAt, doubtedAt] = [askedAt, askedAt, askedAt];
      log.info({ lease: leaseText(lease), ttlMs }, 'lease granted');
      return granted;
    },

    peek: () => lease,

    confirmed: () => (performance.now() - confirmedAt > ttlMs ? null : lease),

    age() {
      const now = performance.now();
      return lease === null ? null : { heldMs: now - grantedAt, unconfirmedMs: now - confirmedAt };
    },

    drop,

    async run(onDoubt, signal) {
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
          if (answer === 'lost') {
            drop();
            onDoubt(true);
          } else [confirmedAt, doubtedAt] = [askedAt, askedAt];
          fault.end('', { failures }, 'keep-alive works again');
          failures = 0;
        } catch (error) {
          signal.throwIfAborted();
          failures += 1;
          fault.tell('', { error: messageOf(error), failures }, 'keep-alive failed; trying again every second');
          const now = performance.now();
          if (lease !== kept || now - doubtedAt <= ttlMs) continue;
          if (doubtedAt === confirmedAt)
            log.warn(
              { lease: leaseText(lease), ttlMs },
              'etcd has not confirmed the lease for a TTL, and may have ended it',
            );
          doubtedAt = now;
          onDoubt(false);
        }
      }
    },
  };
}
