import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { InspectedContainer } from '../../src/adapters/docker/map-inspect.js';

/** A Docker API on a unix socket, for more containers than a machine can run. It answers what docker-register asks, in the engine's words. */
export interface GeneratedEngine {
  /** A container that was not there: its id. Tells it as an event. */
  start(): string;
  /** The container is gone, and an event tells so. */
  die(id: string): void;
  ids(): string[];
  /** Calls so far. */
  calls(): number;
  close(): Promise<void>;
}

/** How many of them make a service. */
const perService = 10;

export async function startGeneratedEngine(socketPath: string, count: number): Promise<GeneratedEngine> {
  const containers = new Map<string, InspectedContainer>();
  const streams = new Set<ServerResponse>();
  let born = 0;
  let calls = 0;

  const create = (): string => {
    const container = containerAt(born);
    born += 1;
    containers.set(container.Id, container);
    return container.Id;
  };
  for (let n = 0; n < count; n += 1) create();

  const tell = (id: string, action: string): void => {
    const nanoseconds = Date.now() * 1e6;
    const event = {
      Type: 'container',
      Action: action,
      Actor: { ID: id, Attributes: {} },
      timeNano: nanoseconds,
    };
    for (const stream of streams) stream.write(`${JSON.stringify(event)}\n`);
  };

  const server = createServer((request, response) => {
    calls += 1;
    const path = (request.url ?? '').replace(/\?.*/, '');
    const id = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    if (path === '/events') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    const answer =
      path === '/containers/json' ? [...containers.keys()].map((Id) => ({ Id })) : (containers.get(id ?? '') ?? null);
    response.writeHead(answer === null ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: `No such container: ${id ?? ''}` }));
  });
  server.listen(socketPath);
  await once(server, 'listening');

  return {
    start() {
      const id = create();
      tell(id, 'start');
      return id;
    },
    die(id) {
      containers.delete(id);
      tell(id, 'die');
    },
    ids: () => [...containers.keys()],
    calls: () => calls,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function containerAt(n: number): InspectedContainer {
  const service = `service-${String(Math.floor(n / perService))}`;
  return {
    Id: n.toString(16).padStart(12, '0').padEnd(64, 'a'),
    Name: `/${service}.${String(n)}`,
    Image: `sha256:${'b'.repeat(64)}`,
    State: { Running: true, Paused: false, StartedAt: '2026-01-01T00:00:00Z' },
    Config: {
      Image: `registry.example/team/${service}:1.0`,
      Labels: { SERVICE_TAGS: 'one,two', 'com.docker.compose.project': 'example' },
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
      ExposedPorts: { '8000/tcp': {} },
      StopSignal: null,
    },
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: {
      Ports: { '8000/tcp': [{ HostIp: '0.0.0.0', HostPort: String(1_024 + (n % 60_000)) }] },
      Networks: { bridge: { IPAddress: '172.17.0.2' } },
    },
  };
}
