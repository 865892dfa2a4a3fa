import { InvalidArgumentError, Option } from 'commander';
import { SettingError } from '../core/errors.js';
import { formatDuration, parseDuration } from '../core/duration.js';
import { parseBindAddress, type BindAddress } from '../core/haproxy/bind.js';
import { parseEtcdHosts } from '../core/etcd-hosts.js';
import { parsePrefix } from '../core/keyspace.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { etcdTlsOptions, type EtcdSettings } from './etcd-settings.js';
import { etcdUserOptions } from './etcd-user.js';
import { logFormats, logLevels, type LogSettings } from './log.js';

/** A parser of the core as one of commander's: its reason becomes commander's message, behind flag, value and variable. */
export function by<T>(parse: (text: string) => Parsed<T>): (text: string) => T {
  return (text) => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    throw new InvalidArgumentError(parsed.reason);
  };
}

/** As `by`, for a secret: commander would print the value that it refuses. */
export function secret<T>(name: string, parse: (text: string) => Parsed<T>): (text: string) => T {
  return (text) => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    throw new SettingError(`${name} ${parsed.reason}`);
  };
}

/** A directory whose path can stand in haproxy.cfg as it is. */
export function parseDirectory(text: string): Parsed<string> {
  if (/^\/[A-Za-z0-9._/+-]*$/.test(text)) return accept(text);
  return reject('must be an absolute path of letters, digits, ".", "_", "+", "-" and "/", without white space');
}

export function parseYesNo(text: string): Parsed<boolean> {
  if (/^(yes|true|1|on)$/i.test(text)) return accept(true);
  return /^(no|false|0|off)$/i.test(text) ? accept(false) : reject('must be yes or no');
}

export interface DurationOption {
  readonly flags: string;
  readonly env: string;
  readonly description: string;
  readonly defaultMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/** A setting that is a time; the command line speaks `15s`, the code milliseconds. */
export function durationOption({ flags, env, description, defaultMs, leastMs, mostMs }: DurationOption): Option {
  const parse = (text: string): Parsed<number> => {
    const parsed = parseDuration(text);
    if (!parsed.ok || (parsed.value >= leastMs && parsed.value <= mostMs)) return parsed;
    return reject(`must be from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`);
  };
  return new Option(`${flags} <duration>`, description)
    .env(env)
    .argParser(by(parse))
    .default(defaultMs, formatDuration(defaultMs));
}

/** How long changes are gathered, at least and at most. */
export function quietPeriodOptions(leastMs: number, mostMs: number): Option[] {
  return [
    durationOption({
      flags: '--quiet-period',
      env: 'QUIET_PERIOD',
      description: 'how long changes are gathered: until none came for this time',
      defaultMs: leastMs,
      leastMs: 0,
      mostMs: 60_000,
    }),
    durationOption({
      flags: '--quiet-period-max',
      env: 'QUIET_PERIOD_MAX',
      description: 'how long changes are gathered at the most while they keep coming',
      defaultMs: mostMs,
      leastMs: 0,
      mostMs: 60_000,
    }),
  ];
}

export interface QuietSettings {
  readonly quietPeriod: number;
  readonly quietPeriodMax: number;
}

/** A least time above the most is the most too. */
export function quietOf({ quietPeriod, quietPeriodMax }: QuietSettings): { leastMs: number; mostMs: number } {
  return { leastMs: quietPeriod, mostMs: Math.max(quietPeriod, quietPeriodMax) };
}

/** A URL with a password must not come back in the message that refuses it. */
function parseEtcdHostsSafely(text: string): readonly string[] {
  if (text.includes('@'))
    throw new SettingError(
      'ETCD_HOST has a user or password in it, which can not be given there, but as ETCD_USER and ETCD_PASSWORD_FILE',
    );
  return by(parseEtcdHosts)(text);
}

/** Where the daemon shows its metrics and its health; on loopback, since whoever asks reads how much runs here. */
export function metricsBindOption(port: number): Option {
  return new Option(
    '--metrics-bind <address>',
    'address and port of the daemon’s own metrics (/metrics) and health (/healthz, /readyz), or none',
  )
    .env('METRICS_BIND')
    .argParser(by(parseBindOrNone))
    .default({ host: '127.0.0.1', port } satisfies BindAddress, `127.0.0.1:${String(port)}`);
}

export function statusBindOption(): Option {
  return new Option('--status-bind <address>', 'address and port of a status page that follows what happens, or none')
    .env('STATUS_BIND')
    .argParser(by(parseBindOrNone))
    .default('none');
}

/** Commander takes null for an option that was not given. */
function parseBindOrNone(text: string): Parsed<BindAddress | 'none'> {
  if (text === 'none') return accept(text);
  const bind = parseBindAddress(text);
  return bind.ok ? bind : reject(`${bind.reason}; or none`);
}

export interface SharedSettings extends LogSettings, EtcdSettings {
  readonly metricsBind: BindAddress | 'none';
  readonly prefix: string;
  readonly runDir: string;
}

/** The settings that both daemons have. */
export function sharedOptions(daemon: string): Option[] {
  return [
    new Option(
      '--etcd-host <hosts>',
      'etcd members: host, host:port or URL, several separated by commas; port 2379 where none is named (required)',
    )
      .env('ETCD_HOST')
      .argParser(parseEtcdHostsSafely),
    ...etcdTlsOptions(),
    ...etcdUserOptions(),
    new Option('--prefix <prefix>', 'where the registrations stand in etcd')
      .env('PREFIX')
      .argParser(by(parsePrefix))
      .default('/backends'),
    new Option('--run-dir <path>', 'directory of the sockets and run-time files')
      .env('RUN_DIR')
      .argParser(by(parseDirectory))
      .default(`/run/${daemon}`),
    new Option('--log-level <level>', 'least level that is logged').env('LOG_LEVEL').choices(logLevels).default('info'),
    new Option('--log-format <format>', 'auto is text on a terminal and JSON elsewhere')
      .env('LOG_FORMAT')
      .choices(logFormats)
      .default('auto'),
  ];
}
