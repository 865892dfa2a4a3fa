/** What a parser answers: the value, or the one reason why the text is not one. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function reject(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

/** So much of a value from outside is shown in a message. */
const shownLength = 80;

/** A value from outside as it may stand in a message: between quotes, and otherwise as `printable` has it. */
export function quoted(text: string): string {
  return `"${printable(text, shownLength)}"`;
}

/**
 * A value from outside as it may go to a terminal or into a log: printable ASCII, everything else escaped as JSON has it
 * (direction marks and the C1 controls too, which JSON would let pass), cut at `length` characters.
 */
export function printable(text: string, length: number): string {
  // One character more than is shown tells whether something is missing.
  const escaped = text.slice(0, length + 1).replace(/[^ !#-[\]-~]/g, escapedOf);
  if (escaped.length <= length) return escaped;
  // Not in the middle of an escape.
  const whole = /^(?:[^\\]|\\u[0-9a-f]{4}|\\[^u])*/.exec(escaped.slice(0, length)) ?? [''];
  return `${whole[0]}…`;
}

/**
 * A line of which parts may be from outside, as it may go to a terminal: what is no printable ASCII is escaped, and nothing else,
 * because some of those parts were quoted already. `…` is ours, and stays.
 */
export function inAscii(text: string): string {
  return text.replace(/[^ -~…]/g, (unit) => (unit === '\n' ? '\\n' : codeOf(unit)));
}

/** `\u001b` */
export function codeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function escapedOf(unit: string): string {
  const escaped = JSON.stringify(unit).slice(1, -1);
  return escaped === unit ? codeOf(unit) : escaped;
}
