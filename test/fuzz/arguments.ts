import { targets } from './targets.js';

export interface FuzzArguments {
  readonly cases: number;
  readonly seed: number;
  /** Name of the only target; null: all. */
  readonly only: string | null;
  /** Path of the HAProxy that checks some of the configurations; null: that of the tests. */
  readonly haproxy: string | null;
}

/** @returns what is wrong with them, for a person */
export function parseFuzzArguments(args: readonly string[], seed: number): FuzzArguments | string {
  let parsed: FuzzArguments = { cases: 1_000_000, seed, only: null, haproxy: null };
  for (let at = 0; at < args.length; at += 2) {
    const [name = '', text = ''] = args.slice(at, at + 2);
    const number = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (name === '--cases' && number > 0) parsed = { ...parsed, cases: number };
    else if (name === '--seed' && number >= 0 && number < 2 ** 31) parsed = { ...parsed, seed: number };
    else if (name === '--only' && targets.some((target) => target.name === text)) parsed = { ...parsed, only: text };
    else if (name === '--haproxy' && text !== '') parsed = { ...parsed, haproxy: text };
    else {
      const names = targets.map((target) => target.name).join(', ');
      return `${name} ${text}: it takes --cases N, --seed S, below 2^31, --only TARGET (${names}), and --haproxy PATH`;
    }
  }
  return parsed;
}
