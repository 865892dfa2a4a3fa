import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { quote } from '../test/lab/command.js';
import type { Host } from '../test/lab/lab.js';

const project = fileURLToPath(new URL('..', import.meta.url));

/** A script of bench/ that runs on a host of the lab. */
export interface Agent<T> {
  /** Its result, when it ends by itself. */
  readonly result: Promise<T>;
  /** Ends its input, which is how some are told to end. */
  end(): Promise<T>;
}

/** @param args its arguments; the addresses that it talks to come in HOST */
export function startAgent<T>(from: Host, script: string, host: string, args: readonly number[]): Agent<T> {
  const command = [process.execPath, '--import', 'tsx', `bench/${script}`, ...args.map(String)].map(quote).join(' ');
  const child = from.spawn(`cd ${quote(project)} && HOST=${host} exec ${command}`);
  const output = text(child.stdout);
  const words = text(child.stderr);
  const result = child.ended.then(async (code) => {
    if (code !== 0) throw new Error(`${script} on ${from.name} ended with ${String(code)}: ${await words}`);
    return JSON.parse(await output) as T;
  });
  return {
    result,
    end() {
      child.stdin.end();
      return result;
    },
  };
}
