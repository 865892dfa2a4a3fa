import { createHash } from 'node:crypto';
import { Option } from 'commander';
import { basePace, type PaceBounds } from '../core/haproxy/check-pace.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { by, durationOption } from './options.js';

/** How often endpoints are checked. */
export interface CheckSettings {
  readonly clientHosts: 'auto' | number;
  readonly checkRate: number;
  readonly checkIntervalMax: number;
}

/** An HTTP check takes some 0.4 ms of a small service, so they are about a percent of a core. */
const defaultRate = 25;

export function checkOptions(): Option[] {
  return [
    new Option(
      '--client-hosts <number>',
      'how many client hosts check the endpoints; auto: they are counted in etcd, below <prefix>-clients',
    )
      .env('CLIENT_HOSTS')
      .argParser(by(parseClientHosts))
      .default('auto'),
    new Option(
      '--check-rate <number>',
      'most HTTP checks a second that one endpoint gets from all client hosts together, and four times as many of layer 4; beyond it each checks more rarely',
    )
      .env('CHECK_RATE')
      .argParser(by(parseCount))
      .default(defaultRate),
    durationOption({
      flags: '--check-interval-max',
      env: 'CHECK_INTERVAL_MAX',
      description: `longest time between two checks to which they are slowed for that; ${String(basePace.httpMs / 1000)}s: never`,
      defaultMs: 30_000,
      leastMs: basePace.httpMs,
      mostMs: 3_600_000,
    }),
  ];
}

export function paceBoundsOf({ checkRate, checkIntervalMax }: CheckSettings): PaceBounds {
  return { checkRate, mostMs: checkIntervalMax };
}

/** Where client hosts make themselves known: beside the registrations, so that nobody who watches those hears of it. */
export function clientsPrefixOf(prefix: string): string {
  return `${prefix}-clients`;
}

/** The same after a restart, and another for each daemon of one host. */
export function clientNameOf(hostname: string, runDir: string): string {
  const name = hostname.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 128);
  return `${name}:${createHash('sha256').update(runDir).digest('hex').slice(0, 6)}`;
}

function parseClientHosts(text: string): Parsed<'auto' | number> {
  if (text === 'auto') return accept(text);
  const number = parseCount(text);
  return number.ok ? number : reject(`${number.reason}, or auto`);
}

function parseCount(text: string): Parsed<number> {
  const number = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 1_000_000 ? accept(number) : reject('must be a number from 1 to 1000000');
}
