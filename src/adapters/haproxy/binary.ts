import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SettingError } from '../../core/errors.js';
import { unboundPorts } from '../../core/haproxy/replies.js';
import { codeOf } from '../asked.js';
import { ConfigurationRefusedError, PortsTakenError } from '../../ports/proxy.js';

const run = promisify(execFile);
const timeoutMs = 30_000;

/** The version as a pair of numbers. @throws SettingError where there is no such program, or one that is too old */
export async function haproxyVersion(binary: string): Promise<string> {
  const output = await printedBy(binary).catch((error: unknown) => {
    if (isNotPermitted(error))
      throw new SettingError(
        `HAPROXY ${JSON.stringify(binary)} may open ports below 1024 by its file, and can't be run where nobody may: give the container that right back (--cap-add NET_BIND_SERVICE), or the file none (setcap -r)`,
      );
    throw new SettingError(
      `HAPROXY ${JSON.stringify(binary)} can't be run (${firstLine(error)}): give the path of haproxy 2.8 or newer; 3.0 is tested`,
    );
  });
  const [, version = '', major = '0', minor = '0'] = /version ((\d+)\.(\d+)\S*)/.exec(output) ?? [];
  // Older ones do not say whether a reload succeeded.
  if (Number(major) * 100 + Number(minor) < 208) {
    throw new SettingError(
      `HAPROXY ${JSON.stringify(binary)} is version ${version || 'unknown'}: 2.8 is the oldest that works, 3.0 is tested`,
    );
  }
  return version;
}

/** Node throws some errors of `spawn` at once, and so past a promise. */
async function printedBy(binary: string): Promise<string> {
  return (await run(binary, ['-v'], { timeout: timeoutMs })).stdout;
}

/** The kernel's answer where the file asks for a capability that the bounding set does not have: capabilities(7). */
function isNotPermitted(error: unknown): boolean {
  return codeOf(error) === 'EPERM';
}

/** @throws ConfigurationRefusedError with HAProxy's own words */
export async function checkConfiguration(binary: string, path: string, signal: AbortSignal): Promise<void> {
  try {
    await run(binary, ['-c', '-f', path], { timeout: timeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    // Killed, or not run at all: that says nothing of the configuration, and is tried again.
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'number')) {
      throw new Error(`haproxy -c did not come to its end: ${firstLine(error)}`, { cause: error });
    }
    const words =
      error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : firstLine(error);
    throw refusalOf(words);
  }
}

/** What the master says when a worker ended, for whatever reason; of the configuration it says nothing. */
const ofTheEnd = /worker \(\d+\) exited with code|exit-on-failure/;

/** Why a start or a reload failed, from HAProxy's own words. One that was killed, or too slow, refuses nothing. */
export function failureOf(words: string, otherwise: string): Error {
  const ports = unboundPorts(words);
  if (ports.length > 0) return new PortsTakenError(ports);
  const isRefusal = words.split('\n').some((line) => line.includes('[ALERT]') && !ofTheEnd.test(line));
  return isRefusal ? refusalOf(words, `${otherwise}: `) : new Error(`${otherwise}: ${words.trim().slice(-500)}`);
}

/** More than this is no message any more. */
const toldAlerts = 5;

/** @param before what to say before HAProxy's words */
function refusalOf(words: string, before = ''): ConfigurationRefusedError {
  const alerts = alertsOf(words);
  return new ConfigurationRefusedError(before + alerts.slice(0, toldAlerts).join('; '), alerts);
}

/** The lines that name the fault, without the process ids that change from run to run. */
function alertsOf(words: string): string[] {
  const lines = words.split('\n').map((line) => line.trim());
  const alerts = lines
    .filter((line) => line.startsWith('[ALERT]'))
    .map((line) => line.replace(/^\[ALERT\]\s*\(\d+\)\s*:\s*/, ''));
  const telling = alerts.filter((line) => !/^(config : )?(Fatal errors found|Error\(s\) found)/.test(line));
  return telling.length > 0 ? telling : lines.filter((line) => line !== '');
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
