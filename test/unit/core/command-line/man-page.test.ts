import { expect, test } from 'vitest';
import type { ProgramText } from '../../../../src/core/command-line/description.js';
import { manPage } from '../../../../src/core/command-line/man-page.js';

const program: ProgramText = {
  name: 'do-it',
  version: '1.2.3',
  description: 'Does it.',
  options: [
    {
      flags: ['-l', '--level'],
      description: ".dots, 'quotes' and C:\\x, in one’s\n way",
      value: { name: 'level', isOptional: false, choices: ['low', 'high'], kind: 'text' },
      variable: 'LEVEL',
      initial: 'low',
    },
  ],
  commands: [
    {
      name: 'ls',
      description: 'print it',
      args: [{ name: 'what', description: 'all', isOptional: true, isVariadic: true, choices: [], kind: 'text' }],
      options: [{ flags: ['--json'], description: 'as JSON', value: null, variable: null, initial: null }],
    },
  ],
};

test('what stands in a description is text, never a request or an escape of roff', () => {
  const page = manPage(program, { exitCodes: [[0, 'fine']], seeAlso: ['other'] });
  expect(page).toContain("\n\\&.dots, 'quotes' and C:\\ex, in one\\[u2019]s way.\n");
});

test('an option has its value, choices, default and variable; a command its arguments and options', () => {
  const page = manPage(program, { exitCodes: [[0, 'fine']], seeAlso: ['other'] });
  expect(page).toContain('.TP\n\\fB\\-l\\fR, \\fB\\-\\-level\\fR \\fIlevel\\fR\n');
  expect(page).toContain('One of: low, high.\nDefault: low.\nEnvironment: \\fBLEVEL\\fR.\n');
  expect(page).toContain('.SS \\fBls\\fR\\ [\\fIoption\\fR\\ ...]\\ [\\fIwhat\\fR]\\ ...\nprint it.\n');
  expect(page).toContain('.TP\n\\fB\\-\\-json\\fR\nas JSON.\n');
  expect(page).toContain('.TP\n\\fBLEVEL\\fR\nas \\fB\\-\\-level\\fR\n');
  expect(page).toContain('.TP\n\\fB0\\fR\nfine.\n');
});
