import type { Configuration } from '../../../src/core/haproxy/configuration.js';
import type { Model } from '../../../src/core/haproxy/model.js';
import type { Observed, ObservedServer, Plan } from '../../../src/core/haproxy/plan.js';
import { formatAddress } from '../../../src/core/address.js';
import { configurationOf } from './models.js';

/** A worker that was started with a configuration, and whose servers have since changed. */
export function workerOf(
  loaded: Configuration,
  changes: (name: string) => Partial<ObservedServer> = () => ({}),
): { readonly loaded: Configuration; readonly servers: Map<string, Map<string, ObservedServer>> } {
  const servers = new Map(
    [...loaded.servers].map(([listener, lines]) => [
      listener,
      new Map(
        [...lines].map(([server, line]) => [
          server,
          { ...line, maint: false, drain: false, overdue: false, ...changes(`${listener}/${server}`) },
        ]),
      ),
    ]),
  );
  return { loaded, servers };
}

export function observedOf(model: Model, changes?: (name: string) => Partial<ObservedServer>): Observed {
  return workerOf(configurationOf(model), changes);
}

/** HAProxy, as far as a plan goes. A server that `isBusy` is not deleted. */
export function carryOut(
  plan: Plan,
  observed: Observed,
  desired: Configuration,
  isBusy: (name: string) => boolean,
): Observed {
  if (plan.kind === 'nothing') return observed;
  if (plan.kind === 'reload') return workerOf(desired);
  const worker = { ...observed, servers: new Map([...observed.servers].map(([name, own]) => [name, new Map(own)])) };
  for (const step of plan.steps) {
    const own = worker.servers.get(step.listener) ?? new Map<string, ObservedServer>();
    worker.servers.set(step.listener, own);
    const there = own.get(step.server);
    if (step.kind === 'add') {
      if (there !== undefined) throw new Error(`${step.server} is there already`);
      own.set(step.server, { ...step.line, maint: false, drain: false, overdue: false });
      continue;
    }
    if (there === undefined) throw new Error(`${step.kind}: there is no ${step.server}`);
    if (step.kind === 'move') own.set(step.server, { ...there, address: formatAddress(step) });
    if (step.kind === 'weight') own.set(step.server, { ...there, weight: step.weight });
    if (step.kind === 'ready') own.set(step.server, { ...there, maint: false, drain: false });
    if (step.kind === 'maint') own.set(step.server, { ...there, maint: true });
    if (step.kind !== 'delete') continue;
    if (!there.maint) throw new Error(`${step.server} is not in maintenance`);
    if (!isBusy(`${step.listener}/${step.server}`)) own.delete(step.server);
  }
  return worker;
}
