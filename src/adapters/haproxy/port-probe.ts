import { createServer } from 'node:net';
import type { PortState } from '../../core/doctor/ports.js';
import type { BindAddress } from '../../core/haproxy/bind.js';
import { overlaps } from '../../core/listening-sockets.js';
import { allListening } from './listening.js';

/**
 * Those of `addresses` that can't be bound, because another process has them. HAProxy itself must not be asked: it would
 * refuse the whole reload for one of them.
 */
export async function takenOf(addresses: readonly BindAddress[]): Promise<BindAddress[]> {
  const taken: BindAddress[] = [];
  for (const address of addresses) if ((await portState(address)) === 'taken') taken.push(address);
  return taken;
}

/** What comes of binding it for a moment. Who may not is told whether somebody else listens there. */
export async function portState(address: BindAddress): Promise<PortState> {
  const state = await tried(address);
  if (state !== 'forbidden') return state;
  return (await allListening()).some((socket) => overlaps(address, socket)) ? 'taken' : 'forbidden';
}

function tried({ host, port }: BindAddress): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    // Node binds with SO_REUSEADDR and without SO_REUSEPORT: a listening socket of anybody is found, also of another HAProxy.
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EADDRNOTAVAIL') resolve('no such address');
      else if (error.code === 'EACCES') resolve('forbidden');
      else reject(error);
    });
    server.listen({ host: host === '*' ? '0.0.0.0' : host, port, exclusive: true, backlog: 1 }, () => {
      server.close(() => {
        resolve('free');
      });
    });
  });
}
