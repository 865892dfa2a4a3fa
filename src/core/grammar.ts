import { formatDuration, parseDuration } from './duration.js';

/** One attribute as it stands in a value, in a label or in a file. */
export interface Grammar<T> {
  readonly name: string;
  readonly initial: T;
  /** What may stand there, for a message: `tcp or http`. */
  readonly allowed: string;
  /** Null where it is none of those. */
  readonly parse: (text: string) => { readonly value: T } | null;
  /** Texts are compared: the initial value has one too, which is never written. */
  readonly format: (value: T) => string;
}

/** One of a few words. */
export function oneOf<T extends string>(name: string, choices: readonly T[], initial: T): Grammar<T> {
  const rest = choices.slice(0, -1).join(', ');
  return {
    name,
    initial,
    allowed: `${rest} or ${choices.at(-1) ?? ''}`,
    parse: (text) => {
      const value = choices.find((choice) => choice === text);
      return value === undefined ? null : { value };
    },
    format: (value) => value,
  };
}

/** An attribute that has no value unless it is given. */
export function orNull<T extends string | number>(
  name: string,
  allowed: string,
  parse: (text: string) => T | null,
): Grammar<T | null> {
  return {
    name,
    initial: null,
    allowed,
    parse: (text) => {
      const value = parse(text);
      return value === null ? null : { value };
    },
    format: String,
  };
}

/** A time; its value is in milliseconds. */
export function durationOrNull(name: string, leastMs: number, mostMs: number): Grammar<number | null> {
  return {
    ...orNull(name, `a time from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}, like 10s`, (text) => {
      const parsed = parseDuration(text);
      return parsed.ok && parsed.value >= leastMs && parsed.value <= mostMs ? parsed.value : null;
    }),
    format: (ms) => formatDuration(ms ?? 0),
  };
}

/** A number from 1 to `most`, which has seven digits at the most. */
export function numberOf(text: string, most: number): { readonly value: number } | null {
  const value = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? { value } : null;
}

/** Yes or no, in the words that people write. */
export function yesOrNo(name: string): Grammar<boolean> {
  return {
    name,
    initial: false,
    allowed: 'yes or no',
    parse: (text) =>
      /^(yes|true|1|on|no|false|0|off)$/i.test(text) ? { value: /^(yes|true|1|on)$/i.test(text) } : null,
    format: (value) => (value ? 'yes' : 'no'),
  };
}

const word = /^[A-Za-z0-9._~:/,@+*=-]{1,64}$/;

/** Words between commas; a backslash makes a comma part of a word, and white space around one is none of it. */
export function words(name: string): Grammar<readonly string[]> {
  return {
    name,
    initial: [],
    allowed: 'words of up to 64 letters, digits and . _ ~ : / , @ + * = - with commas between',
    parse: (text) => {
      const value = text
        .split(/(?<!\\),/)
        .map((part) => part.trim().replaceAll('\\,', ','))
        .filter((part) => part !== '');
      return value.every((part) => word.test(part)) ? { value } : null;
    },
    format: (value) => value.map((part) => part.replaceAll(',', '\\,')).join(','),
  };
}
