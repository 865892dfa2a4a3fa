import { shortIdOf } from '../core/container.js';
import { diffOf, type Diff } from '../core/diff.js';
import { formatValue, keyOf } from '../core/keyspace.js';
import { isOwnKey } from '../core/ownership.js';
import { registrationsOf, type RegistrationPolicy } from '../core/registrations.js';
import type { Logger } from '../ports/log.js';
import { LeaseLostError, type Registry } from '../ports/registry.js';
import type { ContainerView } from './container-view.js';
import type { LeaseKeeper } from './lease-keeper.js';

export interface RegistrarOptions {
  readonly registry: Registry;
  readonly prefix: string;
  readonly policy: RegistrationPolicy;
  readonly view: ContainerView;
  readonly keeper: LeaseKeeper;
  readonly log: Logger;
}

/** Brings what stands in etcd for this host in line with what runs on it. */
export interface Registrar {
  /** @param reasons why, for the log of what changes */
  reconcile(reasons: readonly string[], signal: AbortSignal): Promise<void>;
  /** What stands in etcd must be listed anew before the next comparison. */
  forget(): void;
  /** Number of keys that are held. */
  count(): number;
}

export function createRegistrar({ registry, prefix, policy, view, keeper, log }: RegistrarOptions): Registrar {
  /** Keys of this host and their values, as last listed or written. */
  let held: ReadonlyMap<string, string> = new Map();
  let mustList = true;
  let told = new Map<string, string>();

  const desiredKeys = (): Map<string, string> => {
    const desired = new Map<string, string>();
    const telling = new Map<string, string>();
    for (const container of view.snapshots()) {
      const { registrations, skipped } = registrationsOf(container, policy, view.isStopping(container.id));
      for (const registration of registrations) desired.set(keyOf(prefix, registration), formatValue(registration));
      for (const { containerPort, reason } of skipped) {
        const about = `${container.id} ${containerPort ?? ''}`;
        telling.set(about, reason);
        if (told.get(about) === reason) continue;
        log.debug({ container: container.name, id: shortIdOf(container.id), containerPort, reason }, 'skipped');
      }
    }
    told = telling;
    return desired;
  };

  const listHeld = async (lease: string, signal: AbortSignal): Promise<Map<string, string>> => {
    const { entries } = await registry.list(signal);
    const own = entries.filter((entry) => entry.lease === lease || isOwnKey(prefix, policy.hostIp, entry));
    // A key under another lease is put again under ours, unchanged: no client host sees a thing.
    return new Map(own.map((entry) => [entry.key, entry.lease === lease ? entry.value : '']));
  };

  const tell = ({ puts, deletes }: Diff, reasons: readonly string[]): void => {
    for (const { key, value } of puts) log.info({ key, value, reasons }, 'registered');
    for (const key of deletes) log.info({ key, reasons }, 'deregistered');
  };

  return {
    count: () => held.size,

    forget() {
      mustList = true;
    },

    async reconcile(reasons, signal) {
      const lease = await keeper.current(signal);
      if (mustList) {
        mustList = false;
        try {
          held = await listHeld(lease, signal);
        } catch (error) {
          mustList = true;
          throw error;
        }
      }
      const desired = desiredKeys();
      const diff = diffOf(desired, held);
      try {
        await registry.apply(diff, lease, signal);
      } catch (error) {
        // Which of the transactions were taken is not known.
        mustList = true;
        if (error instanceof LeaseLostError) keeper.drop();
        throw error;
      }
      held = desired;
      tell(diff, reasons);
    },
  };
}
