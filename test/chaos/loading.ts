import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { quote } from '../lab/command.js';
import { projectDir } from '../lab/cache.js';
import type { EngineHost } from '../lab/lab.js';
import type { Failure, Sighting } from './facts.js';
import type { ClientName } from './kinds.js';
import type { Told } from './load.js';

/** Longer than HAProxy's six tries of a second each, after which it gives up itself. */
const requestTimeoutMs = 8_000;

export interface LoadedService {
  readonly name: string;
  readonly port: number;
}

/** The load of one client host, and what it has told so far. */
export interface Load {
  readonly client: ClientName;
  readonly failures: readonly Failure[];
  readonly slow: readonly Extract<Told, { kind: 'slow' }>[];
  /** Per look at the pools that differs from the one before; nobody's where HAProxy did not tell. */
  readonly sightings: readonly Sighting[];
  readonly answers: readonly Extract<Told, { kind: 'answered' }>[];
  /** The pools as they are, by service; null while HAProxy does not tell. */
  pool(): Readonly<Record<string, readonly string[]>> | null;
  end(): Promise<void>;
}

/** Resolves when the load is on. */
export async function startLoad(
  host: EngineHost,
  { rate, services }: { readonly rate: number; readonly services: readonly LoadedService[] },
): Promise<Load> {
  const client = host.name as ClientName;
  const numbers = [rate, requestTimeoutMs, 1936].map(String);
  const names = services.map(({ name, port }) => `${name}:${String(port)}`);
  const command = [process.execPath, '--import', 'tsx', 'test/chaos/load.ts', ...numbers, ...names]
    .map(quote)
    .join(' ');
  const child = host.spawn(`cd ${quote(projectDir)} && HOST=${host.ip} exec ${command}`);
  const words = text(child.stderr);
  const failures: Failure[] = [];
  const slow: Extract<Told, { kind: 'slow' }>[] = [];
  const sightings: Sighting[] = [];
  const answers: Extract<Told, { kind: 'answered' }>[] = [];
  let pool: Readonly<Record<string, readonly string[]>> | null = null;

  const done = child.ended.then(async (code) => {
    if (code !== 0) throw new Error(`the load of ${client} ended with ${String(code)}: ${await words}`);
  });
  const started = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Told;
      switch (told.kind) {
        case 'started':
          resolve();
          break;
        case 'failed':
          failures.push({ client, service: told.service, fromMs: told.fromMs, toMs: told.toMs, error: told.error });
          break;
        case 'slow':
          slow.push(told);
          break;
        case 'answered':
          answers.push(told);
          break;
        case 'pool':
          pool = told.up;
          sightings.push({ atMs: told.atMs, up: new Set(Object.values(told.up ?? {}).flat()) });
          break;
        default:
          throw new Error(`the load tells of something unknown: ${line}`);
      }
    });
  });
  await Promise.race([started, done]);
  return {
    client,
    failures,
    slow,
    sightings,
    answers,
    pool: () => pool,
    end: async () => {
      child.stdin.end();
      await done;
    },
  };
}
