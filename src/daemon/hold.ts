import type { Logger } from '../ports/log.js';
import { LeaseLostError, type Registry } from '../ports/registry.js';
import { createLeaseKeeper } from './lease-keeper.js';
import { every, runTasks } from './lifecycle.js';
import { createReconcileLoop } from './reconcile-loop.js';
import { withdrawInTime } from './withdrawal.js';

export interface HoldOptions {
  readonly registry: Registry;
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
  /** Asks the thing itself; resolves with why it is not well, or with null. Null: nobody asks. */
  readonly check: ((signal: AbortSignal) => Promise<string | null>) | null;
  readonly log: Logger;
}

/** One check that fails may be a lost packet. */
const fall = 2;
/** Should somebody have deleted or altered the key. */
const againMs = 60_000;

/** Keeps a registration that is no container's until `signal` fires, as long as its check passes; then it is withdrawn. */
export async function hold(
  { registry, key, value, ttlMs, check, log }: HoldOptions,
  signal: AbortSignal,
): Promise<void> {
  const keeper = createLeaseKeeper({ registry, ttlMs, log });
  const loop = createReconcileLoop({ quiet: { leastMs: 0, mostMs: 0 }, what: 'keeping the registration', log });
  let failures = 0;
  let isWell = check === null;
  /** The lease under which it stands, or null while it does not. */
  const under: { lease: string | null } = { lease: null };
  let toldLease: string | null = null;

  const look = async (both: AbortSignal): Promise<void> => {
    const reason = await check?.(both);
    if (typeof reason !== 'string') failures = 0;
    else failures += 1;
    const wasWell = isWell;
    isWell = failures === 0 || (wasWell && failures < fall);
    if (isWell === wasWell) return;
    if (isWell) log.info({ key }, 'the check passes');
    else log.warn({ key, reason }, 'the check fails; withdrawn until it passes');
    loop.trigger('check');
  };

  const apply = async (diff: Parameters<Registry['apply']>[0], both: AbortSignal): Promise<void> => {
    const lease = await keeper.current(both);
    // Also where the answer is lost, it may stand.
    if (diff.puts.length > 0) under.lease = lease;
    try {
      await registry.apply(diff, lease, both);
    } catch (error) {
      if (error instanceof LeaseLostError) keeper.drop();
      throw error;
    }
  };

  const reconcile = async (reasons: readonly string[], both: AbortSignal): Promise<void> => {
    if (isWell) {
      await apply({ puts: [{ key, value }], deletes: [] }, both);
      if (under.lease !== toldLease) log.info({ key, value, reasons }, 'registered');
      toldLease = under.lease;
    } else if (under.lease !== null) {
      await apply({ puts: [], deletes: [key] }, both);
      [under.lease, toldLease] = [null, null];
      log.info({ key, reasons }, 'deregistered');
    }
  };

  loop.trigger('start');
  try {
    await runTasks(
      [
        (both) => loop.run((reasons) => reconcile(reasons, both), both),
        (both) =>
          keeper.run((isLost) => {
            loop.trigger(isLost ? 'lease lost' : 'lease not confirmed');
          }, both),
        (both) =>
          every(
            againMs,
            () => {
              loop.trigger('once a minute');
            },
            both,
          ),
        async (both) => {
          if (check === null) return;
          await look(both);
          await every(ttlMs / 3, () => look(both), both);
        },
      ],
      signal,
    );
  } finally {
    // Another process may hold it by now: the next version of this one, say.
    const isOurs = async (within: AbortSignal): Promise<boolean> =>
      (await registry.list(within)).entries.some((entry) => entry.key === key && entry.lease === under.lease);
    const withdraw = async (within: AbortSignal): Promise<void> => {
      if (await isOurs(within)) await apply({ puts: [], deletes: [key] }, within);
    };
    if (under.lease !== null) await withdrawInTime(withdraw, { ttlMs, log });
  }
}
