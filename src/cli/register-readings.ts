import type { Reading } from '../adapters/prometheus.js';
import { registerMetrics } from '../core/metrics/register.js';
import type { RegistrationLimits } from '../core/registration-limits.js';
import type { Register } from '../daemon/register.js';
import type { Health } from '../daemon/service-notices.js';

/** What of docker-register is looked up when somebody asks. */
export function registerReadings(
  { counts }: Pick<Register, 'counts'>,
  { ttlMs, limits }: { readonly ttlMs: number; readonly limits: RegistrationLimits },
): readonly Reading[] {
  const m = registerMetrics;
  const lease = (): ReturnType<Register['counts']>['lease'] => counts().lease;
  const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1000);
  return [
    { metric: m.leaseHeld, read: () => Number((lease()?.unconfirmedMs ?? Infinity) <= ttlMs) },
    { metric: m.leaseAge, read: () => seconds(lease()?.heldMs) },
    { metric: m.leaseUnconfirmed, read: () => seconds(lease()?.unconfirmedMs) },
    { metric: m.leaseTtl, read: () => seconds(ttlMs) },
    { metric: m.containers, read: () => counts().containers },
    { metric: m.registrations, read: () => counts().registrations },
    { metric: m.skipped, read: () => counts().skipped },
    { metric: m.misread, read: () => counts().misread },
    { metric: m.keptOut, read: () => counts().keptOut },
    { metric: m.overLimit, read: () => new Map(Object.entries(counts().beyond)) },
    {
      metric: m.limit,
      read: () =>
        new Map([
          ['registrations', limits.registrations],
          ['ports', limits.ports],
          ['label_bytes', limits.labelBytes],
        ]),
    },
  ];
}

/** Ready once everything that runs has been registered; it stays so without etcd or Docker, and says what is away. */
export function registerHealth({ status, isAlive }: Pick<Register, 'status' | 'isAlive'>): Health {
  return {
    isAlive,
    readiness: () => {
      const { ready, lease } = status();
      if (!ready) return { isReady: false, text: 'not ready: nothing has been registered yet' };
      return lease === null
        ? {
            isReady: true,
            text: 'ready, without a lease that etcd has confirmed: it does not answer, and what it has lost is put again when it does',
          }
        : { isReady: true, text: 'ready: registered under a lease' };
    },
  };
}
