export interface RunArguments {
  readonly minutes: number;
  readonly seed: number;
}

/** @returns what is wrong with them, for a person */
export function parseArguments(args: readonly string[], defaults: RunArguments): RunArguments | string {
  let { minutes, seed } = defaults;
  for (let at = 0; at < args.length; at += 2) {
    const [name = '', text = ''] = args.slice(at, at + 2);
    const value = Number(text);
    if (name === '--minutes' && value > 0 && value <= 24 * 60) minutes = value;
    else if (name === '--seed' && /^\d{1,10}$/.test(text) && value < 2 ** 32) seed = value;
    else return `${name} ${text}: it takes --minutes N, up to a day, and --seed S, below 2^32`;
  }
  return { minutes, seed };
}
