import type { Command } from 'commander';
import { failed, hasFailed, summaryOf, type Finding } from '../core/doctor/finding.js';
import { formatDuration } from '../core/duration.js';
import { messageOf } from '../core/errors.js';
import { asciiJson } from './discover-ls.js';
import { paintFor, type Paint, type Tone } from './paint.js';
import { formatTable } from './table.js';

/** Whatever a check asks has a shorter deadline of its own; this one is for what hangs nevertheless. */
const longestMs = 20_000;

/** One look at one thing. Needs no other check, and finds something in any case. */
export interface Check {
  /** For the finding where it can't be carried out. */
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

/** `doctor`, still without its action. */
export function doctorCommand(program: Command, checked: string): Command {
  return program
    .command('doctor')
    .allowExcessArguments(false)
    .description(`check ${checked}, and tell what to do where something is wrong; exit code 1 where a check failed`)
    .option('--json', 'as JSON');
}

/** Runs checks side by side. Never rejects: what can't be carried out in time has failed. */
export async function examine(checks: readonly Check[], deadlineMs = longestMs): Promise<Finding[]> {
  return (await Promise.all(checks.map((check) => findingsOf(check, deadlineMs)))).flat();
}

/** Prints them; exit code 1 where a check failed. */
export function report(findings: readonly Finding[], { json }: { readonly json: boolean }): void {
  process.stdout.write(
    json ? `${asciiJson(findings)}\n` : findingsText(findings, paintFor(process.stdout, process.env)),
  );
  if (hasFailed(findings)) process.exitCode = 1;
}

async function findingsOf({ name, run }: Check, deadlineMs: number): Promise<readonly Finding[]> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const late = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => {
      reject(new Error(`no answer in ${formatDuration(deadlineMs)}`));
    });
  });
  try {
    return await Promise.race([run(deadline), late]);
  } catch (error) {
    return [failed(name, messageOf(error), 'see the log of the daemon')];
  }
}

const tones = { ok: 'good', warning: 'doubtful', failed: 'bad', 'not checked': 'doubtful' } as const satisfies Record<
  Finding['result'],
  Tone
>;

export function findingsText(findings: readonly Finding[], paint: Paint): string {
  const rows = findings.flatMap(({ check, result, found, mend }) => [
    [paint(tones[result], result), check, found],
    ...(mend === null ? [] : [['', '', `mend: ${mend}`]]),
  ]);
  return `${formatTable(['RESULT', 'CHECK', 'FOUND'], rows, paint)}\n${summaryOf(findings)}\n`;
}
