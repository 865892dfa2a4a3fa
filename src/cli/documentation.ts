import { Argument, type Command } from 'commander';
import { bashCompletion } from '../core/command-line/bash.js';
import type { ProgramText } from '../core/command-line/description.js';
import { fishCompletion } from '../core/command-line/fish.js';
import { manPage } from '../core/command-line/man-page.js';
import { zshCompletion } from '../core/command-line/zsh.js';
import { describeProgram } from './describe-program.js';
import { exitCodes } from './main.js';
import { packageVersion } from './version.js';

const completions = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } satisfies Record<
  string,
  (program: ProgramText) => string
>;

const pair = ['docker-register', 'docker-discover'];

/** `completion SHELL` and `man`: what can be known of the command line from its definition. */
export function addDocumentationCommands(program: Command): void {
  program
    .command('completion')
    .allowExcessArguments(false)
    .description('print the script that completes this command line in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(completions)))
    .action((shell: keyof typeof completions) => {
      process.stdout.write(completions[shell](describeProgram(program, packageVersion())));
    });

  program
    .command('man')
    .allowExcessArguments(false)
    .description('print the manual page, for `man -l -`')
    .action(() => {
      const seeAlso = pair.filter((name) => name !== program.name());
      process.stdout.write(manPage(describeProgram(program, packageVersion()), { exitCodes, seeAlso }));
    });
}
