import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server on loopback that answers with its name and what it was asked, and closes. */
export interface Echo {
  readonly name: string;
  readonly address: string;
  /** Most requests that it had at a time. */
  most(): number;
  close(): Promise<void>;
}

export interface Echoed {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** @param statusOf what it answers to a path; 200 if not given */
export async function startEcho(
  name: string,
  { statusOf = () => 200, afterMs = 0 }: { statusOf?: (url: string) => number; afterMs?: number } = {},
): Promise<Echo> {
  let open = 0;
  let most = 0;
  const server = createServer((request: IncomingMessage, response) => {
    const url = request.url ?? '';
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      response
        .writeHead(statusOf(url), { connection: 'close' })
        .end(JSON.stringify({ name, url, headers: request.headers }));
    }, afterMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    most: () => most,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
