import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import type { Logger } from '../ports/log.js';
import { DeniedError, LeaseLostError, type Registry } from '../ports/registry.js';
import { createLeaseKeeper } from './lease-keeper.js';
import { runTasks } from './lifecycle.js';

export interface ClientHostsOptions {
  /** Of the keys of client hosts, which nobody watches. */
  readonly registry: Pick<Registry, 'apply' | 'countKeys' | 'grantLease' | 'keepAlive' | 'revoke'>;
  /** Ours among them, and what it says. */
  readonly key: string;
  readonly value: string;
  /** How long a host that died still counts. */
  readonly ttlMs: number;
  /** Time between two counts, at the most; longer where there are more than a thousand. */
  readonly everyMs: number;
  readonly log: Logger;
  /** The number is another. */
  readonly onChange: () => void;
}

/** How many docker-discovers there are; this one is counted too. */
export interface ClientHosts {
  /** Null until etcd has told; then the last answer stands. */
  count(): number | null;
  /** Holds our key until `signal` fires, then takes it away. */
  run(signal: AbortSignal): Promise<void>;
}

/** Of `everyMs`: a thousand that begin at once don't each take a lease and put theirs in the same moment. */
const putWithin = 1 / 4;
/** Should somebody have deleted it. */
const putAgainAfter = 30;
/** To count so many costs etcd as much as they are; where there are more, each asks as much more seldom. */
const seldomFrom = 1_000;
const withdrawTimeoutMs = 3_000;

export function createClientHosts(options: ClientHostsOptions): ClientHosts {
  const { registry, key, value, ttlMs, everyMs, log, onChange } = options;
  // What becomes of one lease among a thousand is of no concern, and that etcd is away is told by who follows it.
  const quietly = (fields: object, message: string): void => {
    log.debug(fields, message);
  };
  const quiet: Logger = { debug: quietly, info: quietly, warn: quietly, error: quietly };
  const keeper = createLeaseKeeper({ registry, ttlMs, log: quiet });
  let count: number | null = null;
  /** Looks since our key was put; null while it does not stand. */
  let looks: number | null = null;
  let isDenied = false;

  const tell = (error: unknown): void => {
    if (!(error instanceof DeniedError))
      log.debug({ error: messageOf(error) }, 'client hosts not counted; trying again');
    else if (!isDenied) {
      isDenied = true;
      log.warn(
        { key, error: messageOf(error) },
        'client hosts can not be counted; checks go by the last count, or by one',
      );
    }
  };

  const pauseMs = (): number => {
    if (count === null) return isDenied ? everyMs : everyMs / 10;
    return everyMs * Math.max(1, count / seldomFrom);
  };

  const put = async (signal: AbortSignal): Promise<void> => {
    if (looks !== null && looks < putAgainAfter) return;
    const lease = await keeper.current(signal);
    try {
      await registry.apply({ puts: [{ key, value }], deletes: [] }, lease, signal);
      looks = 0;
    } catch (error) {
      if (error instanceof LeaseLostError) keeper.drop();
      throw error;
    }
  };

  const countAll = async (signal: AbortSignal): Promise<void> => {
    const found = await registry.countKeys(signal);
    // Ours may be among those that are gone: each host that asks itself so puts its own, so that about as many do as there were.
    if (found === 0 || Math.random() < ((count ?? 0) - found) / (count ?? 1)) looks = null;
    const now = Math.max(1, found);
    if (now === count) return;
    log.debug({ clientHosts: now, before: count }, 'client hosts counted');
    count = now;
    onChange();
  };

  const look = async (signal: AbortSignal): Promise<void> => {
    let failures = 0;
    for (const step of [put, countAll]) {
      try {
        await step(signal);
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        tell(error);
      }
    }
    if (looks !== null) looks += 1;
    if (failures > 0 || !isDenied) return;
    isDenied = false;
    log.info({ clientHosts: count }, 'client hosts can be counted again');
  };

  /** Until ours may be put. What fails is told by the looks after it, of the put first: who may do that may count too. */
  const countUntilDue = async (signal: AbortSignal): Promise<void> => {
    const due = performance.now() + everyMs * putWithin * Math.random();
    do {
      if (count === null)
        await countAll(signal).catch((error: unknown) => {
          log.debug({ error: messageOf(error) }, 'client hosts not counted yet');
        });
      const leftMs = Math.max(0, Math.ceil(due - performance.now()));
      await sleep(count === null ? Math.min(leftMs, jittered(pauseMs())) : leftMs, undefined, { signal });
    } while (performance.now() < due);
  };

  return {
    count: () => count,

    async run(signal) {
      try {
        await runTasks(
          [
            (both) =>
              keeper.run(() => {
                looks = null;
              }, both),
            async (both) => {
              await countUntilDue(both);
              for (;;) {
                await look(both);
                await sleep(jittered(pauseMs()), undefined, { signal: both });
              }
            },
          ],
          signal,
        );
      } finally {
        const lease = keeper.peek();
        if (lease !== null)
          await registry.revoke(lease, AbortSignal.timeout(withdrawTimeoutMs)).catch((error: unknown) => {
            log.debug({ error: messageOf(error) }, 'still counted as a client host until the lease ends');
          });
      }
    },
  };
}

/** Down to half of it. */
function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
