import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Host } from '../test/lab/lab.js';
import type { LongLived } from './long-lived.js';

export interface HoldSpec {
  readonly host: string;
  readonly ports: readonly number[];
  /** Connections per port. */
  readonly count: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
}

/** Holds long connections from a host of the lab, until it is asked what became of them. */
export function holdConnections(from: Host, spec: HoldSpec): { end(): Promise<LongLived> } {
  const project = fileURLToPath(new URL('..', import.meta.url));
  const options = [spec.periodMs, spec.timeoutMs, spec.count, ...spec.ports].map(String).join(' ');
  const child = from.spawn(
    `cd ${project} && HOST=${spec.host} exec ${process.execPath} --import tsx bench/long-lived.ts ${options}`,
  );
  const output = text(child.stdout);
  const words = text(child.stderr);
  return {
    async end() {
      child.stdin.end();
      const code = await child.ended;
      if (code !== 0)
        throw new Error(`the holder of connections on ${from.name} ended with ${String(code)}: ${await words}`);
      return JSON.parse(await output) as LongLived;
    },
  };
}
