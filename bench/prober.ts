/**
 * Runs on a host of the lab and asks one URL after the other, a connection each, as fast as they answer. Lines on stdin are orders:
 *
 *     until ID URL WORD       asks URL every other millisecond until an answer has WORD
 *     lastOf ID URL WORD MS   asks URL until no answer had WORD for MS milliseconds
 *
 * Each is answered by a line of JSON when it is done; several are carried out side by side.
 */
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly id: string;
  /** First answer with the word (`until`) or start of the last request that was answered with it (`lastOf`), ms since 1970. */
  readonly atMs: number;
  readonly requests: number;
  readonly failures: number;
}

const longestMs = 60_000;

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** @returns the body, or null where the request failed */
function ask(url: string, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const failed = (): void => {
      resolve(null);
    };
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('end', () => {
          resolve(response.statusCode === 200 ? body : null);
        })
        .on('error', failed);
    });
    request.on('error', failed).on('timeout', () => request.destroy());
  });
}

/** A request that hangs (a SYN that was dropped while a container came up) must not hide that the next would be answered. */
const beatMs = 2;
const mostUnderWay = 100;

async function until(url: string, word: string): Promise<Omit<Answer, 'id'>> {
  let requests = 0;
  let failures = 0;
  let underWay = 0;
  let atMs = 0;
  const endAtMs = nowMs() + longestMs;
  while (atMs === 0) {
    if (nowMs() > endAtMs) throw new Error(`${url}: not within ${String(longestMs)} ms`);
    if (underWay < mostUnderWay) {
      requests += 1;
      underWay += 1;
      void ask(url, 100).then((body) => {
        underWay -= 1;
        if (body === null) failures += 1;
        if (body?.includes(word) === true && atMs === 0) atMs = nowMs();
      });
    }
    await sleep(beatMs);
  }
  return { atMs, requests, failures };
}

async function lastOf(url: string, word: string, quietMs: number): Promise<Omit<Answer, 'id'>> {
  let requests = 0;
  let failures = 0;
  let atMs = nowMs();
  const endAtMs = atMs + longestMs;
  for (;;) {
    const startedAtMs = nowMs();
    if (startedAtMs > endAtMs) throw new Error(`${url}: still answered with ${word} after ${String(longestMs)} ms`);
    if (startedAtMs - atMs > quietMs) return { atMs, requests, failures };
    const body = await ask(url, 2_000);
    requests += 1;
    if (body === null) failures += 1;
    if (body?.includes(word) === true) atMs = startedAtMs;
    await sleep(1);
  }
}

async function carryOut([order, id = '', url = '', word = '', quietMs = '']: readonly string[]): Promise<Answer> {
  return { id, ...(await (order === 'until' ? until(url, word) : lastOf(url, word, Number(quietMs)))) };
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    carryOut(line.split(' ')).then(
      (answer) => {
        console.log(JSON.stringify(answer));
      },
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  })
  .on('close', () => process.exit(0));
