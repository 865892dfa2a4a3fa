import { request } from 'node:http';
import { connect } from 'node:net';
import { formatAddress, type Address } from '../core/address.js';
import { messageOf } from '../core/errors.js';
import { withDeadline } from './deadline.js';

const timeoutMs = 2_000;

/**
 * Asks an address whether it is well: by a connection, or by `GET path`, for which any status below 400 will do.
 *
 * @param path null for a connection alone
 * @returns why it is not well, or null
 */
export async function checkAddress(address: Address, path: string | null, signal: AbortSignal): Promise<string | null> {
  try {
    await withDeadline(timeoutMs, signal, (both) => (path === null ? dial(address, both) : get(address, path, both)));
    return null;
  } catch (error) {
    signal.throwIfAborted();
    return `${formatAddress(address)}${path ?? ''}: ${messageOf(error)}`;
  }
}

function dial({ host, port }: Address, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

function get({ host, port }: Address, path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, path, signal, agent: false }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 400) resolve();
      else reject(new Error(`status ${String(status)}`));
    });
    asking.once('error', reject);
    asking.end();
  });
}
