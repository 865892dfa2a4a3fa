import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * Below those from which the kernel takes the local ports of connections: one of these would be in the way at any moment. Test
 * files run side by side, and a port that was found free is taken a moment later only: each of the two workers has its half.
 */
const half = Number(process.env['VITEST_POOL_ID'] ?? 1) % 2;
const [first, last] = [23_000 + half * 4_500, 27_499 + half * 4_500];
/** From anywhere: another run may look for its ports at the same time. Then on from there: none is handed out twice. */
let next = randomInt(first, last);

/** Ports on loopback that nobody has at the moment, all different, and different from those that were given before. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  while (servers.length < count) {
    const port = next;
    next = port < last ? port + 1 : first;
    const server = await listenOn(port).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
      throw error;
    });
    if (server !== null) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(closed));
  return ports;
}

/** A listening socket that is in somebody's way. */
export async function listenOn(port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer();
  server.listen({ port, host });
  await once(server, 'listening');
  return server;
}

export async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
