import type { Host } from '../host.js';
import { waitFor } from '../wait-for.js';
import type { Seen } from '../wait-for.js';

export interface Terminal {
  readonly heading: (text: string) => void;
  readonly say: (text: string) => void;
  /** Prints the command at the host's prompt, runs it, prints its output, and returns the output. */
  readonly show: (host: Host, command: string) => Promise<string>;
  /** Says what it waits for, and after it how long that took. */
  readonly wait: <T>(what: string, predicate: (seen: Seen) => T | Promise<T>) => Promise<void>;
}

export function openTerminal(): Terminal {
  const startedAt = performance.now();
  const elapsed = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);
  const print = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  return {
    heading: (text) => {
      print(`\n== ${text}  [${elapsed(startedAt)} s]`);
    },
    say: print,
    show: async (host, command) => {
      print(`${host.name}$ ${command}`);
      const { stdout } = await host.run(command);
      if (stdout !== '') print(stdout.trimEnd());
      return stdout;
    },
    wait: async (what, predicate) => {
      const since = performance.now();
      print(`... waiting until ${what}`);
      await waitFor(`this: ${what}`, predicate);
      print(`... after ${elapsed(since)} s`);
    },
  };
}
