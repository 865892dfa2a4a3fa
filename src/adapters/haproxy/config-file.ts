import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeWhole } from '../files.js';
import { createKeptFile } from '../kept-file.js';
import type { ProxyPaths } from './paths.js';

/** A large file that changes all the time is written no more than a hundredth of the time, and is never further behind than this. */
const mostBehindMs = 1_000;
const restPerWrite = 100;

/** haproxy.cfg: what the running worker has. Where it can't be written it stays behind, and catches up with the next call. */
export interface ConfigFile {
  /** Writes the candidate, which HAProxy is to check. */
  offer(text: string): Promise<void>;
  /** The candidate becomes the file, for HAProxy to load. Until `loaded` or `giveBack` nothing else is written. */
  take(text: string): Promise<void>;
  /** HAProxy loaded what was taken. */
  loaded(text: string): void;
  /** HAProxy did not load it: the last good text is the file's again. Never rejects. */
  giveBack(): Promise<void>;
  /**
   * The worker has what this text says. Resolves when the file says it, or a later one, or another was taken meanwhile; never rejects.
   *
   * @returns why the file could not be written; null where it could
   */
  keep(text: () => string): Promise<string | null>;
  /** Writes at once what waits to be written. */
  end(): Promise<void>;
}

export function createConfigFile(paths: ProxyPaths): ConfigFile {
  let lastGood: (() => string) | null = null;
  const file = createKeptFile(paths.config);
  let restUntil = 0;
  /** Ends the rest. */
  let hurry = new AbortController();
  let isTaken = false;
  /** The write that has not begun yet; it will write what is kept last. */
  let waiting: Promise<string | null> | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  const write = async (): Promise<string | null> => {
    const restMs = restUntil - performance.now();
    if (restMs > 0) await sleep(restMs, undefined, { signal: hurry.signal }).catch(() => undefined);
    waiting = null;
    if (lastGood === null || isTaken) return null;
    const startedAt = performance.now();
    const unwritten = await file.write(lastGood());
    const endedAt = performance.now();
    restUntil = endedAt + Math.min(mostBehindMs, restPerWrite * (endedAt - startedAt));
    return unwritten;
  };
  const keep = (text: () => string): Promise<string | null> => {
    lastGood = text;
    if (waiting === null) {
      waiting = turn.then(write);
      turn = waiting;
    }
    return waiting;
  };
  const end = async (): Promise<void> => {
    hurry.abort();
    await turn;
    hurry = new AbortController();
  };

  return {
    offer: (text) => writeWhole(paths.candidate, text),

    async take(text) {
      isTaken = true;
      await end();
      file.says(null);
      await rename(paths.candidate, paths.config);
      file.says(text);
    },

    loaded(text) {
      isTaken = false;
      lastGood = () => text;
    },

    async giveBack() {
      isTaken = false;
      restUntil = 0;
      if (lastGood !== null) await keep(lastGood);
    },

    keep,
    end,
  };
}
