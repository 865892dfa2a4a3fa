import { fileURLToPath } from 'node:url';
import type { Host } from '../test/lab/lab.js';

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));

export interface LoadSpec {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  readonly threads?: number;
  /** A connection per request, or as few as there are. */
  readonly kind: 'close' | 'keep-alive';
}

export interface Load {
  readonly requests: number;
  /** Not connected, not answered within 5 s, cut off, or answered with another status than 2xx and 3xx. */
  readonly failures: number;
  readonly seconds: number;
  /** Latencies, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The failures by kind, in words. */
  readonly errors: string;
}

/** Requests without pause, from a host of the lab. The load stands back for what it measures: elsewhere it would have machines of its own. */
export async function load(host: Host, { url, seconds, connections, threads = 1, kind }: LoadSpec): Promise<Load> {
  const options = `-t ${String(threads)} -c ${String(connections)} -d ${String(seconds)}s --timeout 5s -s ${script}`;
  const { stdout } = await host.run(`nice -n 15 wrk ${options} ${url} -- ${kind}`, {
    timeoutMs: (seconds + 30) * 1_000,
  });
  const [, json] = /^RESULT (.*)$/m.exec(stdout) ?? [];
  if (json === undefined) throw new Error(`wrk told no result: ${stdout.slice(-500)}`);
  return JSON.parse(json) as Load;
}
