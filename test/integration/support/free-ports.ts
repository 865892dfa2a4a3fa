import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** Below those from which the kernel takes the local ports of connections: one of these would be in the way at any moment. */
const [first, last] = [23_000, 32_000];

/** Ports on loopback that nobody has at the moment, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  // From anywhere: other test files look for theirs at the same time.
  for (let port = randomInt(first, last); servers.length < count; port = port < last ? port + 1 : first) {
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
