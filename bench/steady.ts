/**
 * Runs on a host of the lab: steady.ts RATE SECONDS TIMEOUT_MS PORT...
 *
 * Sends RATE requests per second to each PORT of HOST (the environment variable), a connection each, whether the ones before were answered
 * or not, and prints what became of them, as one line of JSON.
 */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Steady {
  readonly port: number;
  readonly requests: number;
  /** Not answered within the time, or cut off. */
  readonly failures: number;
  /** Latency of the slowest that was answered, ms. */
  readonly worstMs: number;
  /** Answered, but later than 100 ms. */
  readonly slow: number;
  /** When the last that failed or was slow was sent, ms since 1970; 0 where none was. */
  readonly lastTroubleAtMs: number;
}

const [rate = 0, seconds = 0, timeoutMs = 0, ...ports] = process.argv.slice(2).map(Number);
const host = process.env['HOST'] ?? '';

function ask(port: number): Promise<number | null> {
  const sentAt = performance.now();
  return new Promise((resolve) => {
    const failed = (): void => {
      resolve(null);
    };
    const request = get({ host, port, agent: false, timeout: timeoutMs }, (response) => {
      response
        .resume()
        .on('error', failed)
        .on('end', () => {
          resolve(response.statusCode === 200 ? performance.now() - sentAt : null);
        });
    });
    request.on('error', failed).on('timeout', () => request.destroy());
  });
}

async function send(port: number): Promise<Steady> {
  const answers: Promise<{ readonly atMs: number; readonly tookMs: number | null }>[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < rate * seconds; n += 1) {
    await sleep(startedAt + (n * 1_000) / rate - performance.now());
    const atMs = Date.now();
    answers.push(ask(port).then((tookMs) => ({ atMs, tookMs })));
  }
  const all = await Promise.all(answers);
  const trouble = all.filter(({ tookMs }) => tookMs === null || tookMs > 100);
  return {
    port,
    requests: all.length,
    failures: all.filter(({ tookMs }) => tookMs === null).length,
    worstMs: Math.max(...all.map(({ tookMs }) => tookMs ?? 0)),
    slow: trouble.filter(({ tookMs }) => tookMs !== null).length,
    lastTroubleAtMs: Math.max(0, ...trouble.map(({ atMs }) => atMs)),
  };
}

console.log(JSON.stringify(await Promise.all(ports.map(send))));
