import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server on loopback that answers with its name and closes. */
export interface BackEnd {
  readonly name: string;
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

export async function startBackEnd(name: string, host = '127.0.0.1'): Promise<BackEnd> {
  const server: Server = createServer((_request, response) => {
    response.writeHead(200, { connection: 'close' }).end(name);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    name,
    port,
    address: `${host}:${String(port)}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
