import { describe, expect, test } from 'vitest';
import { commandLines, commandsOf, stateQuestions } from '../../../../src/core/haproxy/commands.js';
import type { Step } from '../../../../src/core/haproxy/plan.js';

const name = { listener: 'whoami:8000', server: '0123456789ab:80' };
const line = { address: '[2001:db8::7]:49153', weight: 5, keywords: 'check inter 2s' };

test.each<[Step, readonly string[]]>([
  [
    { kind: 'add', line, ...name },
    [
      'add server whoami:8000/0123456789ab:80 [2001:db8::7]:49153 weight 5 check inter 2s',
      'enable health whoami:8000/0123456789ab:80',
      'set server whoami:8000/0123456789ab:80 state ready',
    ],
  ],
  [
    { kind: 'add', line: { ...line, keywords: 'check-send-proxy' }, ...name },
    [
      'add server whoami:8000/0123456789ab:80 [2001:db8::7]:49153 weight 5 check-send-proxy',
      'set server whoami:8000/0123456789ab:80 state ready',
    ],
  ],
  [
    { kind: 'add', line: { ...line, keywords: '' }, ...name },
    [
      'add server whoami:8000/0123456789ab:80 [2001:db8::7]:49153 weight 5',
      'set server whoami:8000/0123456789ab:80 state ready',
    ],
  ],
  [
    { kind: 'move', host: '2001:db8::8', port: 1, ...name },
    ['set server whoami:8000/0123456789ab:80 addr 2001:db8::8 port 1'],
  ],
  [{ kind: 'weight', weight: 0, ...name }, ['set server whoami:8000/0123456789ab:80 weight 0']],
  [{ kind: 'ready', ...name }, ['set server whoami:8000/0123456789ab:80 state ready']],
  [{ kind: 'maint', ...name }, ['set server whoami:8000/0123456789ab:80 state maint']],
  [{ kind: 'shutdown sessions', ...name }, ['shutdown sessions server whoami:8000/0123456789ab:80']],
  [{ kind: 'delete', ...name }, ['del server whoami:8000/0123456789ab:80']],
])('a step in commands: %j', (step, commands) => {
  expect(commandsOf(step)).toEqual(commands);
});

describe('the commands of many steps', () => {
  const steps = Array.from({ length: 500 }, (_, at): Step => ({
    kind: 'add',
    line,
    ...name,
    server: `s${String(at)}`,
  }));
  const lines = commandLines(steps);

  test('are few lines, each shorter than the buffer of HAProxy', () => {
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.length).toBeLessThan(12);
    for (const one of lines) expect(one.length).toBeLessThanOrEqual(12_000);
  });

  test('are all there, in order', () => {
    expect(lines.join(';').split(';')).toEqual(steps.flatMap(commandsOf));
  });

  test('of one step stay on one line', () => {
    for (const one of lines) {
      expect(one).toMatch(/^add server /);
      expect(one).toMatch(/ state ready$/);
    }
  });

  test('of no step are no line', () => {
    expect(commandLines([])).toEqual([]);
  });
});

describe('questions for the servers of listeners', () => {
  test('are one for all of them', () => {
    expect(stateQuestions('all')).toEqual([{ line: 'show servers state', count: 1 }]);
  });

  test('are gathered on lines that HAProxy takes, and counted', () => {
    expect(stateQuestions(['a:1', 'b:2'])).toEqual([
      { line: 'show servers state a:1;show servers state b:2', count: 2 },
    ]);
    const many = Array.from({ length: 1_000 }, (_, at) => `service-${String(at)}:8000`);
    const lines = stateQuestions(many);
    expect(lines.every(({ line }) => line.length < 16_384)).toBe(true);
    expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
    expect(lines.map(({ line }) => line).join(';')).toBe(many.map((name) => `show servers state ${name}`).join(';'));
  });
});
