import { faultKinds, type FaultKind } from './kinds.js';

export interface RunArguments {
  readonly minutes: number;
  readonly seed: number;
  /** Faults of a chaos run. */
  readonly kinds: readonly FaultKind[];
}

/** @returns what is wrong with them, for a person */
export function parseArguments(
  args: readonly string[],
  defaults: Pick<RunArguments, 'minutes' | 'seed'>,
): RunArguments | string {
  let { minutes, seed } = defaults;
  let kinds = faultKinds;
  for (let at = 0; at < args.length; at += 2) {
    const [name = '', text = ''] = args.slice(at, at + 2);
    const value = Number(text);
    if (name === '--minutes' && value > 0 && value <= 24 * 60) minutes = value;
    else if (name === '--seed' && /^\d{1,10}$/.test(text) && value < 2 ** 32) seed = value;
    else if (name === '--only') {
      const wanted = text.split(',');
      kinds = faultKinds.filter((kind) => wanted.includes(kind));
      const unknown = wanted.find((one) => !faultKinds.some((kind) => kind === one));
      if (unknown !== undefined) return `--only ${text}: there is no "${unknown}", but ${faultKinds.join(', ')}`;
    } else return `${name} ${text}: it takes --minutes N, up to a day, --seed S, below 2^32, and --only FAULT,...`;
  }
  return { minutes, seed, kinds };
}
