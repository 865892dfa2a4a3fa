import type { Step } from './plan.js';

/** HAProxy takes several commands on one line; below its buffer of 16 kB. */
const longestLine = 12_000;

/** A step as commands of the runtime API. Names and addresses were validated: nothing in them ends or splits a command. */
export function commandsOf(step: Step): string[] {
  const name = `${step.listener}/${step.server}`;
  switch (step.kind) {
    case 'add': {
      const { address, weight, keywords } = step.line;
      const checked = /(^| )check( |$)/.test(keywords);
      return [
        // `add server` knows no default-server: every keyword is spelled out. The server starts in maintenance.
        `add server ${name} ${address} weight ${String(weight)} ${keywords}`.trim(),
        ...(checked ? [`enable health ${name}`] : []),
        `set server ${name} state ready`,
      ];
    }
    case 'move':
      return [`set server ${name} addr ${step.host} port ${String(step.port)}`];
    case 'weight':
      return [`set server ${name} weight ${String(step.weight)}`];
    case 'ready':
    case 'maint':
      return [`set server ${name} state ${step.kind}`];
    case 'shutdown sessions':
      return [`shutdown sessions server ${name}`];
    case 'delete':
      return [`del server ${name}`];
  }
}

/** The commands of many steps on as few lines as HAProxy takes; those of one step stay together. */
export function commandLines(steps: readonly Step[]): string[] {
  return linesOf(steps.map((step) => commandsOf(step).join(';'))).map(({ line }) => line);
}

/** Several commands, on one line. */
export interface CommandLine {
  readonly line: string;
  readonly count: number;
}

/** What asks for the servers of these listeners. */
export function stateQuestions(listeners: 'all' | readonly string[]): CommandLine[] {
  return linesOf(
    listeners === 'all' ? ['show servers state'] : listeners.map((listener) => `show servers state ${listener}`),
  );
}

export function linesOf(commands: readonly string[]): CommandLine[] {
  const lines: CommandLine[] = [];
  let line = '';
  let count = 0;
  for (const command of commands) {
    if (line !== '' && line.length + command.length > longestLine) {
      lines.push({ line, count });
      line = '';
      count = 0;
    }
    line += line === '' ? command : `;${command}`;
    count += 1;
  }
  return line === '' ? lines : [...lines, { line, count }];
}
