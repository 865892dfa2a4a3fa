import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Host, HostChild } from './host.js';

export interface Forward {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Every connection is relayed by a `nc` inside the host: a namespace can be entered by a process only, not by a socket of ours. */
export async function forwardTo(host: Host, port: number): Promise<Forward> {
  const open = new Map<Socket, HostChild>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const relay = host.spawn(`exec busybox nc 127.0.0.1 ${String(port)}`);
    open.set(socket, relay);
    // Either side may hang up at any time; that ends this connection, and is no failure of the forward.
    const hangUp = (): void => {
      socket.destroy();
    };
    pipeline(socket, relay.stdin).catch(hangUp);
    pipeline(relay.stdout, socket).catch(hangUp);
    socket.once('close', () => {
      open.delete(socket);
      relay.stop().catch(hangUp);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const local = (server.address() as AddressInfo).port;
  return {
    port: local,
    url: `http://127.0.0.1:${String(local)}/`,
    close: async () => {
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      for (const socket of open.keys()) socket.destroy();
      await closed;
    },
  };
}
