import { printable } from '../core/result.js';
import type { Attributes, RegistrationInput, WatchOptions } from './types.js';

/** Who calls may write JavaScript: types are not checked for them. */
type Check = readonly [holds: (value: unknown) => boolean, allowed: string];

const aString: Check = [isString, 'a string'];
const aNumber: Check = [isNumber, 'a number'];
const stringOrNull: Check = [(value) => value === null || isString(value), 'a string or null'];
const numberOrNull: Check = [(value) => value === null || isNumber(value), 'a number or null'];
const strings: Check = [(value) => Array.isArray(value) && value.every(isString), 'an array of strings'];

const attributeChecks: Readonly<Record<keyof Attributes, Check>> = {
  servicePort: aNumber,
  state: aString,
  weight: aNumber,
  backup: [(value) => typeof value === 'boolean', 'true or false'],
  maxconn: numberOrNull,
  proxyProtocol: stringOrNull,
  slowStartMs: numberOrNull,
  healthcheckMs: numberOrNull,
  zone: stringOrNull,
  tags: strings,
  mode: aString,
  check: stringOrNull,
  checkStatus: stringOrNull,
  checkIntervalMs: numberOrNull,
  balance: aString,
  sticky: stringOrNull,
  httpHosts: strings,
  httpPath: stringOrNull,
  others: [(value) => isRecord(value) && Object.values(value).every(isString), 'an object of strings'],
};

/** @throws RangeError where it is of another form than its type */
export function checkRegistration(registration: RegistrationInput): void {
  check('registration', registration, [isRecord, 'an object with service, id and address']);
  check('service', registration.service, aString);
  check('id', registration.id, aString);
  check('address', registration.address, [isRecord, 'an object with host and port']);
  check('address.host', registration.address.host, aString);
  check('address.port', registration.address.port, aNumber);
  for (const [name, of] of Object.entries(attributeChecks))
    checkOption(name, registration[name as keyof Attributes], of);
}

/** @throws RangeError where one is of another form than its type */
export function checkWatchOptions(options: WatchOptions): void {
  checkOptions(options);
  const hosts: unknown = options.etcdHosts;
  // It may have a password in it, which must not come back in the message.
  if (isString(hosts)) throw new RangeError('etcdHosts is a string, and must be an array of strings');
  check('etcdHosts', hosts, strings);
  checkOption('signal', options.signal, [(value) => value instanceof AbortSignal, 'an AbortSignal']);
  checkOption('staleMs', options.staleMs, [
    (value) => isNumber(value) && value >= 0,
    'a number of milliseconds, 0 or more',
  ]);
  const methods = ['debug', 'info', 'warn', 'error'];
  checkOption('logger', options.logger, [
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof Reflect.get(value, method) === 'function'),
    'an object with debug, info, warn and error',
  ]);
}

/** @throws RangeError */
export function checkOptions(options: unknown): void {
  check('options', options, [isRecord, 'an object']);
}

/** @throws RangeError */
export function checkString(what: string, value: unknown): void {
  check(what, value, aString);
}

function checkOption(what: string, value: unknown, of: Check): void {
  if (value !== undefined) check(what, value, of);
}

function check(what: string, value: unknown, [holds, allowed]: Check): void {
  if (!holds(value)) throw new RangeError(`${what} is ${shown(value)}, and must be ${allowed}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(printable(value, 80));
  if (Array.isArray(value)) return `an array of ${String(value.length)}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** Any but NaN, whose value another check may refuse. */
function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
