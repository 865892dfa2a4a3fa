import { isLoopback } from '../../core/address.js';
import type { BindAddress } from '../../core/haproxy/bind.js';

/**
 * Whether a request asks for this server by its address or as `localhost`. On loopback nobody needs another name, and a browser
 * that comes with one was led here by a name of somebody else's (DNS rebinding): its page would read the answer.
 *
 * @param header `Host`, as it was sent; old clients send none
 */
export function isOwnHost({ host: bind }: BindAddress, header: string | undefined): boolean {
  if (!isLoopback(bind) || header === undefined) return true;
  const host = header.replace(/:\d+$/, '').toLowerCase();
  return host === 'localhost' || /^\[[0-9a-f:.]+\]$/.test(host) || /^\d+(?:\.\d+){3}$/.test(host);
}
