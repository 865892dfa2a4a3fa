import { shortIdOf } from '../core/container.js';
import { registerMetrics } from '../core/metrics/register.js';
import type { RegistrationPolicy } from '../core/registrations.js';
import type { Seal } from '../core/signature.js';
import type { ContainerEngine } from '../ports/container-engine.js';
import type { Logger } from '../ports/log.js';
import type { Meter } from '../ports/meter.js';
import type { Registry } from '../ports/registry.js';
import { createAlarm } from './alarm.js';
import { createContainerView } from './container-view.js';
import { createDesiredKeys, type LeftOut } from './desired-keys.js';
import { createEventFollower } from './event-follower.js';
import { createLeaseKeeper, type LeaseKeeper } from './lease-keeper.js';
import { every, runTasks } from './lifecycle.js';
import { createMeteredRounds } from './metered-rounds.js';
import { createReconcileLoop, type QuietPeriod } from './reconcile-loop.js';
import { createRegistrar } from './registrar.js';
import { withdrawInTime } from './withdrawal.js';

export interface RegisterOptions {
  readonly engine: ContainerEngine;
  readonly registry: Registry;
  readonly prefix: string;
  readonly policy: RegistrationPolicy;
  readonly ttlMs: number;
  readonly resyncMs: number;
  /** A burst of starts is a few transactions; a single start waits for next to nothing. */
  readonly quiet: QuietPeriod;
  /** Put on everything that is registered. */
  readonly seal: Seal;
  /** Changes per second that one container may make on average; 0 is no limit. */
  readonly changeRate: number;
  /** Whether the keys go with the daemon, or are left to the TTL, so that an upgrade does not flap the services. */
  readonly withdrawOnExit: boolean;
  readonly log: Logger;
  readonly meter: Meter;
}

export interface RegisterStatus {
  /** Everything that runs has been registered once. */
  readonly ready: boolean;
  readonly lease: string | null;
  readonly registrations: number;
}

/** What is looked up when somebody asks for metrics. */
export interface RegisterCounts extends LeftOut {
  readonly containers: number;
  readonly registrations: number;
  readonly lease: ReturnType<LeaseKeeper['age']>;
}

export interface Register {
  run(signal: AbortSignal): Promise<void>;
  /** Something that no event tells has changed: what runs, and what stands in etcd, is looked at anew. */
  lookAgain(reason: string): void;
  status(): RegisterStatus;
  counts(): RegisterCounts;
  /** No round takes longer than any round may. */
  isAlive(): boolean;
}

/**
 * Keeps the keys of this host equal to the published ports of its containers, until `signal` fires.
 *
 * Whatever happens leads to the same step: compare what runs with what stands under our lease, and act on the
 * difference. Where Docker can't be asked nothing is deleted; where etcd can't, all is put again when it is back.
 */
export function createRegister(options: RegisterOptions): Register {
  const { engine, registry, prefix, policy, ttlMs, resyncMs, quiet, seal, changeRate, withdrawOnExit, log, meter } =
    options;
  const view = createContainerView(engine, log);
  const keeper = createLeaseKeeper({
    registry,
    ttlMs,
    log,
    onLost: () => {
      meter.count(registerMetrics.leasesLost, {});
    },
  });
  const loop = createReconcileLoop({ quiet, what: 'registering', log });
  const rounds = createMeteredRounds({ meter, metrics: registerMetrics });
  const desiredKeys = createDesiredKeys({ prefix, policy, view, changeRate, log });
  const registrar = createRegistrar({ registry, prefix, policy, desiredKeys, keeper, seal, log, meter });
  const mayComeBack = createAlarm(() => {
    loop.trigger('kept out for long enough');
  });
  const mayAnswer = createAlarm(() => {
    view.noteAll();
    loop.trigger('Docker was silent about a container');
  });
  const mayBeKnown = createAlarm(() => {
    registrar.review();
    loop.trigger('keys whose state is in doubt');
  });
  let ready = false;

  const lookAgain = (reason: string): void => {
    view.noteAll();
    registrar.review();
    loop.trigger(reason);
  };

  const follower = createEventFollower({
    engine,
    onOpen: () => {
      meter.count(registerMetrics.streams, {});
      lookAgain('event stream opened');
    },
    onEvent: (event) => {
      meter.count(registerMetrics.events, { action: event.action });
      view.note(event);
      loop.trigger(`${event.action} ${shortIdOf(event.id)}`);
    },
    log,
  });

  return {
    lookAgain,

    status: () => ({ ready, lease: keeper.confirmed(), registrations: registrar.count() }),

    counts: () => ({
      ...desiredKeys.leftOut(),
      containers: [...view.snapshots()].length,
      registrations: registrar.count(),
      lease: keeper.age(),
    }),

    isAlive: () => rounds.areAlive(),

    async run(signal) {
      const reconcile = async (reasons: readonly string[]): Promise<void> => {
        const silentAgainInMs = await view.refresh(signal);
        if (silentAgainInMs !== null) mayAnswer.set(silentAgainInMs);
        const { admitInMs, listAgainInMs } = await registrar.reconcile(reasons, signal);
        if (admitInMs !== null) mayComeBack.set(admitInMs);
        if (listAgainInMs !== null) mayBeKnown.set(listAgainInMs);
        desiredKeys.settle();
        ready = true;
      };
      try {
        await runTasks(
          [
            (both) => follower.run(both),
            (both) => loop.run(rounds.of(reconcile, both), both),
            (both) =>
              keeper.run((isLost) => {
                registrar.review();
                loop.trigger(isLost ? 'lease lost' : 'lease not confirmed');
              }, both),
            (both) =>
              every(
                resyncMs,
                async () => {
                  await follower.renew();
                  lookAgain('resync');
                },
                both,
              ),
          ],
          signal,
        );
      } finally {
        mayComeBack.clear();
        mayBeKnown.clear();
        mayAnswer.clear();
      }
      if (withdrawOnExit) await withdrawInTime((within) => registrar.withdraw(within), { ttlMs, log });
    },
  };
}
