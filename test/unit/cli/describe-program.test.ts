import { Argument, Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { describeProgram } from '../../../src/cli/describe-program.js';

test('what commander knows is there as data; what is hidden is not', () => {
  const program = new Command('do-it')
    .description('Does it.')
    .addOption(new Option('-l, --level <level>', 'how much').choices(['low', 'high']).default('low').env('LEVEL'))
    .addOption(new Option('--once [yes|no]', 'not again').default(false, 'no'))
    .addOption(new Option('--dir <path>', 'where'))
    .addOption(new Option('--secret', 'not told').hideHelp());
  program
    .command('ls')
    .description('print it')
    .addArgument(new Argument('[what...]', 'all').choices(['a', 'b']))
    .option('--json', 'as JSON');
  const { options, commands, ...rest } = describeProgram(program, '1.2.3');
  expect(rest).toEqual({ name: 'do-it', version: '1.2.3', description: 'Does it.' });
  const help = { flags: ['-h', '--help'], value: null, variable: null, initial: null };
  expect(options).toEqual([
    {
      flags: ['-l', '--level'],
      description: 'how much',
      value: { name: 'level', isOptional: false, choices: ['low', 'high'], kind: 'text' },
      variable: 'LEVEL',
      initial: 'low',
    },
    {
      flags: ['--once'],
      description: 'not again',
      value: { name: 'yes|no', isOptional: true, choices: ['yes', 'no'], kind: 'text' },
      variable: null,
      initial: 'no',
    },
    {
      flags: ['--dir'],
      description: 'where',
      value: { name: 'path', isOptional: false, choices: [], kind: 'path' },
      variable: null,
      initial: null,
    },
    expect.objectContaining(help),
  ]);
  expect(commands[0]).toEqual({
    name: 'ls',
    description: 'print it',
    args: [{ name: 'what', isOptional: true, choices: ['a', 'b'], kind: 'text', description: 'all', isVariadic: true }],
    options: [
      { flags: ['--json'], description: 'as JSON', value: null, variable: null, initial: null },
      expect.objectContaining(help),
    ],
  });
});
