import { Option } from 'commander';
import { SettingError } from '../core/errors.js';
import { parseBindAddress, type BindAddress } from '../core/haproxy/bind.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { lineNowIn } from './line-file.js';
import { by, secret } from './options.js';

interface StatsAuth {
  readonly user: string;
  readonly password: string;
}

/** Of HAProxy's own page. */
export interface StatsSettings {
  readonly statsBind: BindAddress;
  readonly statsAuth?: StatsAuth;
  /** What stands in the file. */
  readonly statsAuthFile?: StatsAuth;
}

export function statsOptions(): Option[] {
  return [
    new Option('--stats-bind <address>', 'address and port of HAProxy’s stats page (/) and metrics (/metrics)')
      .env('STATS_BIND')
      .argParser(by(parseBindAddress))
      .default({ host: '*', port: 1936 } satisfies BindAddress, '*:1936'),
    new Option('--stats-auth <user:password>', 'who may see the stats page; everybody if not set')
      .env('STATS_AUTH')
      .argParser(secret('STATS_AUTH', parseStatsAuth)),
    new Option('--stats-auth-file <file>', 'file with that user:password instead, such as a Docker secret')
      .env('STATS_AUTH_FILE')
      .argParser(statsAuthIn),
  ];
}

/** Null: everybody may see it. @throws SettingError where it is said twice */
export function statsAuthOf({ statsAuth, statsAuthFile }: Partial<StatsSettings>): StatsAuth | null {
  if (statsAuth !== undefined && statsAuthFile !== undefined)
    throw new SettingError('STATS_AUTH and STATS_AUTH_FILE are both set: leave one of them out');
  return statsAuth ?? statsAuthFile ?? null;
}

function statsAuthIn(path: string): StatsAuth {
  const setting = 'STATS_AUTH_FILE';
  const line = lineNowIn({ setting, path, what: 'user:password' });
  return secret(`${setting} ${JSON.stringify(path)}`, parseStatsAuth)(line);
}

function parseStatsAuth(text: string): Parsed<StatsAuth> {
  const [, user, password] = /^([A-Za-z0-9._-]{1,64}):([\x21-\x7e]{1,128})$/.exec(text) ?? [];
  // Between double quotes in haproxy.cfg these three have a meaning.
  if (user === undefined || password === undefined || /["\\$]/.test(password)) {
    return reject(
      'must be user:password; the user of letters, digits, ".", "_" and "-", the password of printable ASCII without space, ", \\ and $',
    );
  }
  return accept({ user, password });
}
