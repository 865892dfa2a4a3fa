import { lastWords } from './demo/last-words.js';
import { tellStory } from './demo/story.js';
import { openTerminal } from './demo/terminal.js';
import { startLab } from './lab.js';
import type { Lab } from './lab.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

// Not only the exit code: an interrupted story may still wait for something that will never come.
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--keep');
  if (unknown.length > 0) {
    process.stderr.write(`demo: unknown argument ${unknown.join(' ')}; it takes --keep only\n`);
    return 2;
  }
  const interrupt = new AbortController();
  let interruptedBy: keyof typeof EXIT_CODES | undefined;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const name of Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[]) {
      process.on(name, () => {
        interruptedBy ??= name;
        interrupt.abort(new Error(`interrupted by ${name}`));
        resolve('interrupted');
      });
    }
  });
  // npm passes a SIGTERM on to its shell, and the shell doesn't pass it on to us.
  const parent = process.ppid;
  const orphaned = setInterval(() => process.ppid !== parent && process.emit('SIGHUP'), 500);
  orphaned.unref();

  const terminal = openTerminal();
  let lab: Lab | undefined;
  let code = 0;
  try {
    terminal.heading('Four hosts: etcd, a client host, two back-end hosts');
    lab = await startLab({ log: terminal.say, signal: interrupt.signal });
    await Promise.race([tellStory(lab, terminal), interrupted]);
    if (args.includes('--keep') && !interrupt.signal.aborted) {
      const { url } = await lab.forward(lab.client, 1936);
      terminal.heading('All stays up until Ctrl-C');
      terminal.say(`HAProxy's own page: ${url}`);
      await interrupted;
      interruptedBy = undefined;
    }
  } catch (error) {
    // What fails while the hosts vanish under it has no news for anybody.
    if (!interrupt.signal.aborted) {
      code = 1;
      process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : String(error)}\n`);
      if (lab) process.stderr.write(`${await lastWords(lab)}\n`);
    }
  } finally {
    terminal.heading('Cleaning up');
    await lab?.stop();
  }
  if (interruptedBy !== undefined) code = EXIT_CODES[interruptedBy];
  terminal.heading(code === 0 ? 'Done' : 'Not done');
  return code;
}
