import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFixed, sectionChanges } from '../../../../src/core/haproxy/configuration.js';
import { createConfigurationReader, parseConfiguration } from '../../../../src/core/haproxy/configuration-reader.js';

const small = `
global
    stats socket /run/runtime.sock level admin

# A comment.
listen whoami:8000
    bind *:8000
    server a 10.0.0.1:49153 weight 5 check inter 2s   fastinter 500ms
    server b [2001:db8::7]:1 check weight 0
    server c 10.0.0.1:2
backend spare
\tserver a 10.0.0.3:80 backup
`;

/** Names of the servers of one proxy. */
function serversOf(text: string, proxy: string): string[] {
  return [...(parseConfiguration(text).servers.get(proxy)?.keys() ?? [])];
}

describe('a configuration', () => {
  test('has sections without their servers', () => {
    expect([...parseConfiguration(small).sections]).toEqual([
      ['global', 'global\nstats socket /run/runtime.sock level admin\n'],
      ['listen whoami:8000', 'listen whoami:8000\nbind *:8000\n'],
      ['backend spare', 'backend spare\n'],
    ]);
  });

  test('has servers by proxy and name, with weight 1 where none is said', () => {
    const { servers } = parseConfiguration(small);
    expect(Object.fromEntries(servers.get('whoami:8000') ?? [])).toEqual({
      a: { address: '10.0.0.1:49153', weight: 5, keywords: 'check inter 2s fastinter 500ms' },
      b: { address: '[2001:db8::7]:1', weight: 0, keywords: 'check' },
      c: { address: '10.0.0.1:2', weight: 1, keywords: '' },
    });
    expect(Object.fromEntries(servers.get('spare') ?? [])).toEqual({
      a: { address: '10.0.0.3:80', weight: 1, keywords: 'backup' },
    });
  });

  test('has a proxy without a server too', () => {
    expect([...parseConfiguration('listen empty\n  bind *:1\n').servers]).toEqual([['empty', new Map()]]);
  });

  test('may be indented in any way', () => {
    expect(parseConfiguration(small.replace(/^[ \t]+/gm, ''))).toEqual(parseConfiguration(small));
  });

  test.each([
    ['quotes', 'server a 10.0.0.1:1 sni str("x")'],
    ['a comment', 'server a 10.0.0.1:1 check # later'],
    ['an escape', 'server a 10.0.0.1:1 set-proxy-v2 x\\ y'],
    ['a variable', 'server a 10.0.0.1:1 source $ADDR'],
    ['several commands', 'server a 10.0.0.1:1 check;del server x'],
  ])('counts a server line with %s as part of its section: the runtime API would read it otherwise', (_what, line) => {
    const text = `listen x\n${line}\n`;
    expect(serversOf(text, 'x')).toEqual([]);
    expect(parseConfiguration(text).sections.get('listen x')).toBe(`listen x\n${line}\n`);
    expect(parseConfiguration(text).fixed.get('x')).toEqual([{ name: 'a', numbers: null }]);
  });

  test.each([
    ['server "a b" 10.0.0.1:1', 'a b'],
    ["server 'a' 10.0.0.1:1", 'a'],
    ['server a\\ b 10.0.0.1:1', 'a b'],
    ['server "a\\"b" 10.0.0.1:1', 'a"b'],
    ['server a"b"c 10.0.0.1:1', 'abc'],
    ['server a "10.0.0.1:1" # b', 'a'],
  ])('has the name of a server as HAProxy reads it: %s', (line, name) => {
    const { servers, fixed } = parseConfiguration(`listen x\n${line}\n`);
    expect(servers.get('x')).toEqual(new Map());
    expect(fixed.get('x')).toEqual([{ name, numbers: null }]);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['server-template web 3 10.0.0.1:1 check', ['web1', 'web3'], ['web0', 'web4', 'web', 'web01', 'web1x', 'other1']],
    ['server-template "web-" 2-4 10.0.0.1:1', ['web-2', 'web-4'], ['web-1', 'web-5']],
    ['server-template web x 10.0.0.1:1', [], ['web', 'web1']],
    ['server one 10.0.0.1:1 sni str("x")', ['one'], ['one1', 'on']],
    ['use-server one if { src 10.0.0.1 }', [], ['one']],
  ])('tells which servers stand behind a line: %s', (line, those, others) => {
    const fixed = parseConfiguration(`listen x\nserver a 10.0.0.1:1\n${line}\n`).fixed.get('x') ?? [];
    expect([...those, ...others].filter((server) => isFixed(fixed, server))).toEqual(those);
  });

  test('takes a server outside a proxy for a line like another', () => {
    const text = 'peers mine\nserver local 10.0.0.1:1\n';
    expect(parseConfiguration(text).sections.get('peers mine')).toBe(text);
    expect(parseConfiguration(text).servers.size).toBe(0);
    expect(parseConfiguration(text).fixed.size).toBe(0);
  });

  test('has the lines of two sections with one name together', () => {
    const text = 'global\nmaxconn 1\nlisten x\nbind *:1\nglobal\nmaxconn 2\n';
    expect(parseConfiguration(text).sections.get('global')).toBe('global\nmaxconn 1\nglobal\nmaxconn 2\n');
  });
});

describe('what changed', () => {
  const before = parseConfiguration(small);
  const changesTo = (text: string): string[] =>
    sectionChanges(before, parseConfiguration(text)).map(({ text: words }) => words);

  test.each<[string, string, readonly string[]]>([
    ['nothing', small, []],
    ['comments and blanks', `# Other words.\n\n\n${small.replace('A comment', 'Another')}`, []],
    ['endpoints', small.replace('server c', 'server d').replace('weight 5', 'weight 6'), []],
    ['a line of a section', small.replace('bind *:8000', 'bind *:8001'), ['listen whoami:8000 changed']],
    ['a section more', `${small}frontend stats\n  bind *:1936\n`, ['frontend stats added']],
    ['a section less', small.replace(/backend[\s\S]*/, ''), ['backend spare removed']],
    ['something before all sections', `.if true\n${small}`, ['the text before the first section added']],
  ])('%s', (_what, text, changes) => {
    expect(changesTo(text)).toEqual(changes);
  });
});

describe('texts that are read one after the other', () => {
  const other = small.replace('10.0.0.1:2', '10.0.0.9:2');

  test('give what each gives by itself', () => {
    const read = createConfigurationReader();
    for (const text of [small, other, '', other, small]) expect(read([text])).toEqual(parseConfiguration(text));
  });

  test('share the servers of the sections that say the same, and no others', () => {
    const read = createConfigurationReader();
    const [before, after] = [read([small]), read([other])];
    expect(after.servers.get('spare')).toBe(before.servers.get('spare'));
    expect(after.servers.get('whoami:8000')).not.toBe(before.servers.get('whoami:8000'));
  });

  test('may come in pieces, cut wherever', () => {
    const read = createConfigurationReader();
    fc.assert(
      fc.property(fc.constantFrom(small, other), fc.array(fc.nat(small.length), { maxLength: 5 }), (text, cuts) => {
        const ends = [...cuts.filter((cut) => text[cut - 1] === '\n').sort((a, b) => a - b), text.length];
        const pieces = ends.map((end, at) => text.slice(at === 0 ? 0 : ends[at - 1], end));
        expect(read(pieces)).toEqual(parseConfiguration(text));
      }),
      { numRuns: 500 },
    );
  });

  test('in pieces share the servers of those that say the same', () => {
    const read = createConfigurationReader();
    const piece = 'listen a:1\n  server x 10.0.0.1:1\n';
    const before = read(['global\n', piece, 'listen b:2\n  server y 10.0.0.1:2\n']);
    const after = read(['global\n', piece, 'listen b:2\n  server y 10.0.0.1:3\n']);
    expect(after.servers.get('a:1')).toBe(before.servers.get('a:1'));
    expect(after.servers.get('b:2')).not.toBe(before.servers.get('b:2'));
  });
});

describe('where one reading follows another', () => {
  const pieces = [
    'global\n',
    'listen a:1\n  server x 10.0.0.1:1\n',
    'listen b:2\n  server y 10.0.0.1:2\n  server-template z 1-3 10.0.0.9:1\n',
  ];

  test('the same pieces are the same configuration', () => {
    const read = createConfigurationReader();
    expect(read([...pieces])).toBe(read(pieces));
  });

  test('other servers leave all else the same object', () => {
    const read = createConfigurationReader();
    const before = read(pieces);
    const after = read(pieces.map((piece) => piece.replace('10.0.0.1:2', '10.0.0.1:3')));
    expect(after.sections).toBe(before.sections);
    expect(after.fixed).toBe(before.fixed);
    expect(after.servers.get('b:2')?.get('y')?.address).toBe('10.0.0.1:3');
    expect(before.servers.get('b:2')?.get('y')?.address).toBe('10.0.0.1:2');
  });

  test('each gives what it gives by itself, whatever came before', () => {
    const anyPiece = fc.constantFrom(
      ...['global\n', 'global\n  maxconn 1\n', '# nothing\n', '  server x 10.0.0.1:1\n'],
      ...['a', 'b'].flatMap((name) =>
        ['listen', 'backend'].flatMap((kind) =>
          ['', '  server x 10.0.0.1:1\n', '  server x 10.0.0.1:2\n  mode http\n', '  server-template z 2 h:1\n'].map(
            (rest) => `${kind} ${name}\n${rest}`,
          ),
        ),
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.array(anyPiece, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), (readings) => {
        const read = createConfigurationReader();
        for (const one of readings) expect(read(one)).toEqual(parseConfiguration(one.join('')));
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a text that is read as a whole is not kept for the sake of a section that changed in it', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const others = Array.from(
    { length: 1_000 },
    (_, n) => `listen other-${String(n)}:80\n  server x 10.0.0.1:80 ${'check '.repeat(100)}\n`,
  ).join('');
  const read = createConfigurationReader();
  const rounds = (from: number): number => {
    for (let n = from; n < from + 60; n += 1) read([`${others}listen web:80\n  server x 10.0.0.${String(n)}:80\n`]);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = rounds(1);
  // Sixty texts are 38 MB.
  expect(rounds(100) - before).toBeLessThan(5e6);
});

test('a word that only begins like a section does not begin one', () => {
  expect([...parseConfiguration('listen a\ncache-use x\nglobal-like y\n').sections.keys()]).toEqual(['listen a']);
});

test('what stands before the first section has no header, and its first line is one like another', () => {
  const { sections, servers } = parseConfiguration('.if x\nserver a 10.0.0.1:1\nglobal\n.endif\n');
  expect([...sections]).toEqual([
    ['', '.if x\nserver a 10.0.0.1:1\n'],
    ['global', 'global\n.endif\n'],
  ]);
  expect(servers.size).toBe(0);
});
