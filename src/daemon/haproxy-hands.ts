import type { Logger } from '../ports/log.js';
import type { Proxy } from '../ports/proxy.js';
import type { Hands } from './hands.js';
import type { ProxyKeeper } from './proxy-keeper.js';
import { proxyStatusOf } from './proxy-status.js';
import { watchProxy } from './watchdog.js';

export interface HaproxyHandsOptions {
  readonly proxy: Proxy;
  readonly keeper: ProxyKeeper;
  readonly log: Logger;
}

/** A HAProxy of ours, kept by `keeper`, and replaced when it hangs. */
export function createHaproxyHands({ proxy, keeper, log }: HaproxyHandsOptions): Hands {
  return {
    ...keeper,
    startsEmpty: true,
    isRunning: () => proxy.isRunning(),
    takenOf: (addresses) => proxy.takenOf(addresses),
    async status(signal) {
      const { servers, ...haproxy } = await proxyStatusOf(proxy, signal);
      return { haproxy: { ...haproxy, ...keeper.changes() }, output: null, changes: keeper.recent(), servers };
    },
    run: (signal) => watchProxy({ proxy, log }, signal),
    stop: () => proxy.stop(),
  };
}
