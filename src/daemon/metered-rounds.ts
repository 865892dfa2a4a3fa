import type { DaemonMetrics } from '../core/metrics/daemon.js';
import type { Meter } from '../ports/meter.js';
import type { ReconcileLoop } from './reconcile-loop.js';

type Reconcile = Parameters<ReconcileLoop['run']>[0];

export interface MeteredRounds {
  /** The same rounds, timed and counted. */
  of(reconcile: Reconcile, signal: AbortSignal): Reconcile;
  /** No round is under way for longer than all its deadlines together: it would hang. */
  areAlive(): boolean;
}

/** A HAProxy that hangs is given up after 45 s, and the slowest round asks several things in turn. */
const longestMs = 120_000;

export function createMeteredRounds({
  meter,
  metrics,
}: {
  readonly meter: Meter;
  readonly metrics: DaemonMetrics;
}): MeteredRounds {
  let begunAt: number | null = null;
  return {
    areAlive: () => begunAt === null || performance.now() - begunAt < longestMs,

    of: (reconcile, signal) => async (reasons) => {
      const startedAt = performance.now();
      begunAt = startedAt;
      const ended = (outcome: 'done' | 'failed'): void => {
        begunAt = null;
        if (signal.aborted) return;
        meter.count(metrics.reconciles, { outcome });
        meter.observe(metrics.reconcileSeconds, {}, (performance.now() - startedAt) / 1000);
      };
      try {
        await reconcile(reasons);
        ended('done');
      } catch (error) {
        ended('failed');
        throw error;
      }
    },
  };
}
