import { messageOf } from '../core/errors.js';
import type { ServerStatus } from '../core/haproxy/replies.js';
import type { Proxy } from '../ports/proxy.js';

/** HAProxy in its own words, as far as it says any. */
export interface ProxyStatus {
  readonly running: boolean;
  /** Null where it does not tell. */
  readonly servers: readonly ServerStatus[] | null;
  readonly workerPid: number | null;
  /** Why it does not tell, while it starts or hangs. */
  readonly silence: string | null;
}

/** Does not reject: who asks how HAProxy is must get an answer above all when it is not well. */
export async function proxyStatusOf(
  proxy: Pick<Proxy, 'isRunning' | 'serverStatus' | 'workerPid'>,
  signal: AbortSignal,
): Promise<ProxyStatus> {
  if (!proxy.isRunning()) return { running: false, servers: [], workerPid: null, silence: null };
  const [servers, workerPid] = await Promise.allSettled([proxy.serverStatus(signal), proxy.workerPid(signal)]);
  const silences = [servers, workerPid].flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : []));
  return {
    running: true,
    servers: servers.status === 'fulfilled' ? servers.value : null,
    workerPid: workerPid.status === 'fulfilled' ? workerPid.value : null,
    silence: silences[0] ?? null,
  };
}
