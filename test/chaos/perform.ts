import { lastWords } from '../lab/demo/last-words.js';
import { startLab, type Lab } from '../lab/lab.js';
import { parseArguments, type RunArguments } from './arguments.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export interface Performance {
  readonly name: string;
  readonly defaults: Pick<RunArguments, 'minutes' | 'seed'>;
  /** Resolves with the exit code. */
  readonly run: (lab: Lab, args: RunArguments) => Promise<number>;
}

/** Runs it on a lab with two client hosts, which is torn down whatever happens; resolves with the exit code. */
export async function perform({ name, defaults, run }: Performance): Promise<number> {
  const args = parseArguments(process.argv.slice(2), defaults);
  if (typeof args === 'string') {
    console.error(`${name}: ${args}`);
    return 2;
  }
  const interrupt = new AbortController();
  let interruptedBy: keyof typeof EXIT_CODES | undefined;
  const interrupted = new Promise<number>((resolve) => {
    for (const signal of Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]) {
      process.on(signal, () => {
        interruptedBy ??= signal;
        interrupt.abort(new Error(`interrupted by ${signal}`));
        resolve(EXIT_CODES[interruptedBy]);
      });
    }
  });
  console.log(`${name}: seed ${String(args.seed)}, ${String(args.minutes)} minutes`);
  let lab: Lab | undefined;
  try {
    lab = await startLab({ log: console.log, moreClients: 1, signal: interrupt.signal });
    const running = run(lab, args);
    // Once interrupted, what fails while the hosts vanish under it has no news for anybody.
    running.catch(() => undefined);
    return await Promise.race([running, interrupted]);
  } catch (error) {
    if (interruptedBy !== undefined) return EXIT_CODES[interruptedBy];
    const words = lab === undefined ? '' : await lastWords(lab);
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(`${words}\n${name}: could not go on: ${reason}`);
    return 1;
  } finally {
    await lab?.stop();
  }
}
