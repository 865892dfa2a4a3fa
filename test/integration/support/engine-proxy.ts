import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands between docker-register and a real engine, on loopback, and does what networks and engines do on a bad day. */
export interface EngineProxy {
  /** For DOCKER_HOST. */
  readonly url: string;
  /** Event streams that are open now tell nothing any more, and do not end. */
  muteEvents(): void;
  /** Event streams that are open now are reset. */
  cutEvents(): void;
  /** How many event streams were opened so far. */
  streams(): number;
  /** `GET /containers/json`, each call so far, without its query. */
  readonly calls: readonly string[];
  /** Questions about this container get no answer, until `null`. */
  silence(id: string | null): void;
  close(): Promise<void>;
}

/** @param at path of its own socket; a port on loopback if not given */
export async function startEngineProxy(socketPath: string, at: string | null = null): Promise<EngineProxy> {
  const open = new Set<{ readonly response: ServerResponse; muted: boolean }>();
  const calls: string[] = [];
  let count = 0;
  let silent: string | null = null;
  const server = createServer((incoming, response) => {
    const { method, url: path = '', headers } = incoming;
    calls.push(`${method ?? ''} ${path.replace(/\?.*/, '')}`);
    if (silent !== null && path.includes(`/containers/${silent}`)) return;
    const stream = { response, muted: false };
    if (path.includes('/events')) {
      count += 1;
      open.add(stream);
    }
    const outgoing = request({ socketPath, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.on('data', (chunk) => {
        if (!stream.muted) response.write(chunk);
      });
      answer.on('close', () => {
        if (answer.complete) response.end();
        else response.destroy();
      });
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => {
      open.delete(stream);
      outgoing.destroy();
    });
    incoming.pipe(outgoing);
  });
  if (at === null) server.listen(0, '127.0.0.1');
  else server.listen(at);
  await once(server, 'listening');
  return {
    url: at === null ? `tcp://127.0.0.1:${String((server.address() as AddressInfo).port)}` : `unix://${at}`,
    calls,
    muteEvents: () => {
      for (const stream of open) stream.muted = true;
    },
    cutEvents: () => {
      for (const { response } of open) response.destroy();
    },
    streams: () => count,
    silence: (id) => (silent = id),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
