import { describe, expect, test } from 'vitest';
import { blamedOf, withoutPosition } from '../../../../src/core/haproxy/blame.js';

const text = [
  'global', // 1
  '    log stdout format raw daemon', // 2
  'listen web:80', // 3
  '    balance bogus', // 4
  '    server a 10.0.0.1:80', // 5
  '# a comment between', // 6
  'listen api:81', // 7
  '    frob', // 8
].join('\n');
const names = new Set(['web:80', 'api:81']);
const blamed = (...alerts: string[]): Record<string, string> => Object.fromEntries(blamedOf(alerts, { text, names }));

describe('who is to blame', () => {
  test('is the listener in whose section the line stands', () => {
    expect(
      blamed(
        `config : parsing [/run/haproxy.cfg:4] : balance only supports 'roundrobin'`,
        `config : parsing [/run/haproxy.cfg:8] : unknown keyword 'frob' in 'listen' section`,
      ),
    ).toEqual({
      'web:80': `balance only supports 'roundrobin'`,
      'api:81': `unknown keyword 'frob' in 'listen' section`,
    });
  });

  test('is told once, by the first alert', () => {
    expect(blamed('config : [/run/haproxy.cfg:4] : one', 'config : [/run/haproxy.cfg:5] : two')).toEqual({
      'web:80': 'one',
    });
  });

  test('is the listener that is named, where no line is', () => {
    expect(blamed(`config : proxy 'api:81' has no server.`)).toEqual({ 'api:81': `proxy 'api:81' has no server.` });
    expect(blamed(`config : 'server web:80/a' : weight is not within 0 and 256 (999).`)).toHaveProperty(['web:80']);
  });

  test('is also the listener whose front part is a section of its own', () => {
    const split = 'frontend front_web:80\n frob\nfrontend front/web:80\n frob\n';
    expect([...blamedOf(['[x:4] : frob'], { text: split, names }).keys()]).toEqual(['web:80']);
  });

  test.each([
    'config : parsing [/run/haproxy.cfg:2] : unknown keyword',
    'config : parsing [/run/haproxy.cfg:0] : unknown keyword',
    'out of memory',
    `config : proxy 'api:8' has no server`,
    `config : proxy 'other-api:81' has no server`,
    '',
  ])('is nobody for %j', (alert) => {
    expect(blamed(alert)).toEqual({});
  });
});

test('words without their position are the same wherever the section stands', () => {
  expect(withoutPosition('config : parsing [/run/a.cfg:57] : unknown keyword')).toBe('unknown keyword');
  expect(withoutPosition(`config : Parsing [/tmp/b.cfg:18]: proxy 'ok:83' has the same name`)).toBe(
    `proxy 'ok:83' has the same name`,
  );
  expect(withoutPosition('out of memory')).toBe('out of memory');
});
