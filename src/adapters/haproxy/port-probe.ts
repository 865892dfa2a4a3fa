import { createServer } from 'node:net';
import type { BindAddress } from '../../core/haproxy/bind.js';

/**
 * Those of `addresses` that can't be bound, because another process has them. HAProxy itself must not be asked: it would
 * refuse the whole reload for one of them.
 */
export async function takenOf(addresses: readonly BindAddress[]): Promise<BindAddress[]> {
  const taken: BindAddress[] = [];
  for (const address of addresses) {
    const host = address.host === '*' ? '0.0.0.0' : address.host;
    if (!(await canBind(host, address.port))) taken.push(address);
  }
  return taken;
}

function canBind(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    // Node binds with SO_REUSEADDR and without SO_REUSEPORT: a listening socket of anybody is found, also of another HAProxy.
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'EACCES') resolve(true);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true, backlog: 1 }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
