import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** Ports on loopback that nobody has at the moment, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenOn(0)));
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
