import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A stretch of network on loopback that can be made slow. */
export interface SlowProxy {
  /** `host:port` that leads to the target. */
  readonly address: string;
  /** How long bytes are under way, each way; a share of the pieces, by lot, takes a second more, as what is lost on TCP does. */
  setDelay(delayMs: number, lostShare?: number): void;
  close(): Promise<void>;
}

const usualShare = 0.2;
const resentAfterMs = 1_000;

export async function startSlowProxy(target: string): Promise<SlowProxy> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let lossShare = usualShare;

  const relay = (from: Socket, to: Socket): void => {
    sockets.add(from);
    let dueAt = 0;
    const later = (send: () => void): void => {
      const lost = delayMs > 0 && Math.random() < lossShare;
      const now = performance.now();
      // In order, as TCP has it: what comes behind a lost piece waits for it.
      dueAt = Math.max(dueAt, now + delayMs + (lost ? resentAfterMs : 0));
      if (dueAt <= now) send();
      else setTimeout(send, dueAt - now);
    };
    from.on('data', (bytes) => {
      later(() => to.write(bytes));
    });
    from.on('end', () => {
      later(() => to.end());
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host, port: Number(port), allowHalfOpen: true });
    relay(client, upstream);
    relay(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    setDelay: (ms, lostShare = usualShare) => {
      delayMs = ms;
      lossShare = lostShare;
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
