import type { ContainerSnapshot } from '../../../src/core/container.js';
import type { DesiredOptions } from '../../../src/daemon/desired-keys.js';

/** What runs on a host, as a test changes it. */
export class FakeView {
  containers: readonly ContainerSnapshot[] = [];
  stopping: ReadonlySet<string> = new Set();
  silent: ReadonlySet<string> = new Set();
  times: ReadonlyMap<string, number> = new Map();

  readonly view: DesiredOptions['view'] = {
    unknown: () => this.silent,
    snapshots: () => this.containers,
    find: (id) => this.containers.find((container) => container.id === id),
    takeTouched: () => null,
    isStopping: (id) => this.stopping.has(id),
    eventTimes: () => this.times,
    forgetTimes: () => undefined,
  };
}
