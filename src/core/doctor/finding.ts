import { codeOf } from '../result.js';

/** What one check of `doctor` came to; `doctor --json` prints a list of these, a public interface. */
export interface Finding {
  readonly check: string;
  /** `warning`: it works, and may not for long, or not as well as it could; `not checked`: it can't be told from here. */
  readonly result: 'ok' | 'warning' | 'failed' | 'not checked';
  /** With figures; one line of printable ASCII, as the mend is. */
  readonly found: string;
  /** What to do about it; null where nothing is to be done. */
  readonly mend: string | null;
}

/** An answer with the time that it took, or why there is none. */
export type Asked<T> =
  | { readonly ok: true; readonly value: T; readonly tookMs: number }
  | {
      readonly ok: false;
      readonly reason: string;
      /** Status of HTTP, or the system's name of the error (`EACCES`), where there is one. */
      readonly code: number | string | null;
    };

/** An answer of HAProxy, Docker or etcd may be a whole page. */
const shownLength = 400;

export function fine(check: string, found: string): Finding {
  return { check, result: 'ok', found: oneLine(found), mend: null };
}

export function warning(check: string, found: string, mend: string): Finding {
  return { check, result: 'warning', found: oneLine(found), mend: oneLine(mend) };
}

export function failed(check: string, found: string, mend: string): Finding {
  return { check, result: 'failed', found: oneLine(found), mend: oneLine(mend) };
}

export function notChecked(check: string, found: string): Finding {
  return { check, result: 'not checked', found: oneLine(found), mend: null };
}

export function hasFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ result }) => result === 'failed');
}

/** `1 failed, 2 warnings, 9 ok`. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (result: Finding['result']): number => findings.filter((one) => one.result === result).length;
  const [bad, doubtful, unknown] = [count('failed'), count('warning'), count('not checked')];
  return [
    `${String(bad)} failed`,
    `${String(doubtful)} ${doubtful === 1 ? 'warning' : 'warnings'}`,
    `${String(count('ok'))} ok`,
    ...(unknown === 0 ? [] : [`${String(unknown)} not checked`]),
  ].join(', ');
}

/** Milliseconds as a person reads them: `0.4ms`, `120ms`. */
export function shownMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)}ms` : `${String(Math.round(ms))}ms`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

/** A part comes from outside, and all of it goes to a terminal. */
function oneLine(text: string): string {
  const line = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[^ -~]/g, codeOf);
  return line.length <= shownLength ? line : `${line.slice(0, shownLength)}...`;
}
