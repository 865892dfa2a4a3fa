import { describe, expect, test } from 'vitest';
import { createLogger, type LogSettings } from '../../../src/cli/log.js';

const hostile = '\u001b[2J\u009b31m\u202e\n[00:00:00.000] INFO: forged \\ "é" 😀 …';

function logged(logFormat: LogSettings['logFormat'], isTerminal = false): string {
  let written = '';
  const output = { write: (lines: string) => (written += lines), isTerminal };
  createLogger('docker-discover', { logLevel: 'info', logFormat }, output).info({ path: hostile }, hostile);
  return written;
}

describe('whatever a client or a back end says, an event is', () => {
  test.each(['json', 'auto'] as const)('one line of JSON in ASCII, that says the same: %s', (logFormat) => {
    const line = logged(logFormat);
    expect(line).toMatch(/^[ -~…]*\n$/);
    expect(JSON.parse(line)).toMatchObject({ level: 'info', name: 'docker-discover', path: hostile, msg: hostile });
  });

  test('one line of text', () => {
    const line = logged('text');
    expect(line).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: [ -~…]*\n$/);
    expect(line).toContain(
      'INFO: \\u001b[2J\\u009b31m\\u202e\\n[00:00:00.000] INFO: forged \\ "\\u00e9" \\ud83d\\ude00 … {',
    );
  });

  test('one line of text on a terminal, in no colours but ours', () => {
    const line = logged('auto', true);
    const colours = new RegExp(`${String.fromCharCode(0x1b)}\\[(?:32|36|39|90)m`, 'g');
    expect(line.replace(colours, '')).toBe(logged('text').replace(/^\[[^\]]*\]/, line.slice(0, 14)));
  });
});
