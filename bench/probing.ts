import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Host } from '../test/lab/lab.js';
import type { Answer } from './prober.js';

/** A prober on a host. */
export interface Prober {
  /** When `url` first answers with `word`. */
  until(url: string, word: string): Promise<Answer>;
  /** The last request to `url` that was answered with `word`, once there was none for `quietMs`. */
  lastOf(url: string, word: string, quietMs: number): Promise<Answer>;
  stop(): Promise<void>;
}

export function startProber(host: Host): Prober {
  const project = fileURLToPath(new URL('..', import.meta.url));
  const child = host.spawn(`cd ${project} && exec ${process.execPath} --import tsx bench/prober.ts`);
  const waiting = new Map<string, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let words = '';
  let count = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text));
  void child.ended.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`the prober on ${host.name} ended: ${words.trim()}`));
  });

  const order = (kind: string, ...rest: readonly string[]): Promise<Answer> =>
    new Promise((resolve, reject) => {
      count += 1;
      waiting.set(String(count), { resolve, reject });
      child.stdin.write(`${[kind, String(count), ...rest].join(' ')}\n`);
    });

  return {
    until: (url, word) => order('until', url, word),
    lastOf: (url, word, quietMs) => order('lastOf', url, word, String(quietMs)),
    stop: () => child.stop(),
  };
}
