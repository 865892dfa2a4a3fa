import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerLines } from '../../../../src/core/haproxy/configuration.js';
import type { Listener } from '../../../../src/core/haproxy/listener.js';
import {
  carriedState,
  parseReload,
  parseServersState,
  parseShowStat,
  parseStepsReply,
  parseWorkerPid,
  unboundPorts,
} from '../../../../src/core/haproxy/replies.js';
import { configurationOf, listenerWith, modelWith, serverWith } from '../../support/models.js';

/** In the form in which HAProxy 3.0.11 answered; states, weights and a worker edited for the cases. */
function reply(name: string): string {
  return readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url), 'utf8');
}

const state = reply('show-servers-state.txt');
const stat = reply('show-stat.csv');

/** The same table with its columns the other way round. */
function reordered(text: string, separator: string): string {
  const width = Math.max(...text.split('\n').map((line) => line.split(separator).length));
  return text
    .split('\n')
    .map((line) => {
      if (!line.includes(separator)) return line;
      const isHeader = line.startsWith('# ');
      const cells = (isHeader ? line.slice(2) : line).split(separator);
      while (cells.length < width) cells.push(isHeader ? `spare_${String(cells.length)}` : '');
      return `${isHeader ? '# ' : ''}${cells.reverse().join(separator)}`;
    })
    .join('\n');
}

function linesOf(...listeners: readonly Listener[]): ServerLines {
  return configurationOf(modelWith(...listeners)).servers;
}

describe('show stat', () => {
  const servers = [
    {
      listener: 'whoami:18000',
      server: '0123456789ab',
      status: 'DOWN',
      check: 'L4CON',
      checkText: 'Layer4 connection problem: Connection refused',
      sinceSeconds: 3,
      sessions: 0,
    },
    {
      listener: 'whoami:18000',
      server: '0123456789cd',
      status: 'UP',
      check: 'L4OK',
      checkText: 'Layer4 check passed',
      sinceSeconds: 2,
      sessions: 7,
    },
    // `* L7OK`: the check is under way, and this was the last result.
    {
      listener: 'stats:18001',
      server: '0123456789ef:8000',
      status: 'UP 1/2',
      check: 'L7OK',
      checkText: 'Layer7 check passed',
      sinceSeconds: 2,
      sessions: 0,
    },
  ];

  test('is read', () => {
    expect(parseShowStat(stat)).toEqual(servers);
  });

  test('is read where a server’s own words have commas and quotes', () => {
    const said = stat.replace('Connection refused', '"no, ""really"""');
    expect(parseShowStat(said)[0]?.checkText).toBe('Layer4 connection problem: no, "really"');
    expect(parseShowStat(said).slice(1)).toEqual(servers.slice(1));
  });

  test('tells what a back end answered to a check in ASCII, and not more than a line of it', () => {
    const said = stat.replace('Connection refused', `\u001b[2J\u009b\u202e${'x'.repeat(300)}`);
    const [server] = parseShowStat(said);
    expect(server?.checkText).toMatch(/^Layer4 connection problem: \\u001b\[2J\\u009b\\u202ex{100,170}…$/);
  });

  test('is read by the names of the columns, not by their places', () => {
    expect(parseShowStat(reordered(stat, ','))).toEqual(servers);
  });

  test('of a proxy without servers is an empty table', () => {
    expect(parseShowStat(`${stat.split('\n')[0] ?? ''}\n\n`)).toEqual([]);
  });
});

describe('show servers state', () => {
  const servers = [
    {
      listener: 'whoami:8000',
      server: '0123456789ab',
      address: '127.0.0.1:18999',
      weight: 5,
      maint: false,
      drain: false,
    },
    { listener: 'whoami:8000', server: '0123456789cd', address: '[::1]:18998', weight: 1, maint: false, drain: false },
    {
      listener: 'stats:8001',
      server: '0123456789ef:8000',
      address: '127.0.0.1:18997',
      weight: 0,
      maint: false,
      drain: false,
    },
  ];

  test('is read', () => {
    expect(parseServersState(state)).toEqual(servers);
  });

  test('is read by the names of the columns, not by their places', () => {
    expect(parseServersState(reordered(state, ' '))).toEqual(servers);
  });

  test('of several listeners is one table after the other, some of them empty', () => {
    const empty = `${state.split('\n').slice(0, 2).join('\n')}\n\n`;
    expect(parseServersState(`${empty}${state}${empty}`, 3)).toEqual(servers);
  });

  test.each(['', '1\n', '\n', 'Permission denied\n', state.slice(0, -40), `${state.slice(0, -40)}\n\n`])(
    'that was cut is an error: %j',
    (reply) => {
      expect(() => parseServersState(reply)).toThrow(/did not tell the state|the reply was cut/);
    },
  );

  test('is an error where a table is missing: the listener must not look empty', () => {
    expect(() => parseServersState(`Can't find backend.\n\n${state}`, 2)).toThrow('did not tell the state');
    expect(() => parseServersState(state.trimEnd())).toThrow('did not tell the state');
  });
});

describe('a reply that was cut', () => {
  test.each([
    ['show stat', parseShowStat],
    ['the state that is carried over', (text: string) => carriedState(text, new Map())],
  ])('before the header is an error: %s', (_what, parse) => {
    for (const text of ['', '1\n', '\n', 'Permission denied\n']) expect(() => parse(text)).toThrow('the reply was cut');
  });

  test.each([
    ['show stat', stat, parseShowStat, 'whoami:18000,0123456789cd,0'],
    [
      'the state that is carried over',
      state,
      (text: string) => carriedState(text, new Map()),
      '2 whoami:8000 2 0123456789cd ::1 2 0',
    ],
  ])('within a line is an error: %s', (_what, text, parse, lastWords) => {
    const cut = text.slice(0, text.indexOf(lastWords) + lastWords.length);
    expect(() => parse(cut)).toThrow('the reply was cut');
  });
});

describe('the state that is carried over a reload', () => {
  const first = serverWith({ name: '0123456789ab', host: '127.0.0.1', port: 18999, weight: 5 });
  const second = serverWith({ name: '0123456789cd', host: '::1', port: 18998, weight: 1 });
  const desired = (...servers: Parameters<typeof serverWith>[0][]): string[] =>
    carriedState(state, linesOf(listenerWith({ servers: servers.map(serverWith) })))
      .split('\n')
      .flatMap((line) => /^\d+ \S+ \d+ (\S+)/.exec(line)?.[1] ?? []);

  function withAdminState(admin: string): string {
    const row = state.split('\n').find((line) => line.includes(' 0123456789ab ')) ?? '';
    const cells = row.split(' ');
    cells[6] = admin;
    return state.replace(row, cells.join(' '));
  }

  test('has the servers that stay as they are, and none that goes', () => {
    expect(desired(first, second)).toEqual(['0123456789ab', '0123456789cd']);
    expect(desired(second)).toEqual(['0123456789cd']);
  });

  test.each([
    ['port', { ...first, port: 1 }],
    ['host', { ...first, host: '127.0.0.2' }],
    ['weight', { ...first, weight: 0 }],
  ])('leaves out a server whose %s changes: HAProxy would bring the old one back', (_what, changed) => {
    expect(desired(changed, second)).toEqual(['0123456789cd']);
  });

  test.each([
    ['in maintenance', '1', { maint: true, drain: false }],
    ['drained by hand', '8', { maint: false, drain: true }],
    ['drained, then in maintenance', '9', { maint: true, drain: true }],
  ])('leaves out a server %s: it would stay there', (_what, admin, seen) => {
    const changed = withAdminState(admin);
    expect(parseServersState(changed)[0]).toMatchObject({ server: '0123456789ab', ...seen });
    expect(carriedState(changed, linesOf(listenerWith({ servers: [first, second] })))).not.toContain('0123456789ab');
  });

  test.each([
    ['is disabled in the file', '5'],
    ['was disabled in the file', '4'],
    ['tracks one in maintenance', '2'],
    ['tracks one that is drained', '16'],
    ['has a name that is not resolved', '32'],
  ])('does not count as maintenance what no command would end: a server that %s', (_what, admin) => {
    expect(parseServersState(withAdminState(admin))[0]).toMatchObject({ maint: false, drain: false });
  });

  test('leaves out a server of the same name in another listener', () => {
    const other = listenerWith({ service: 'stats', port: 8001, servers: [first] });
    expect(carriedState(state, linesOf(other))).not.toContain('0123456789ab');
  });

  test('keeps version and header, and the lines byte by byte, so that HAProxy takes it', () => {
    const everything = linesOf(
      listenerWith({ servers: [first, second] }),
      listenerWith({
        service: 'stats',
        port: 8001,
        servers: [serverWith({ name: '0123456789ef:8000', host: '127.0.0.1', port: 18997, weight: 0 })],
      }),
    );
    expect(carriedState(state, everything)).toBe(state.replace(/\n\n$/, '\n'));
    expect(carriedState(state, new Map())).toBe(`${state.split('\n').slice(0, 2).join('\n')}\n`);
  });
});

describe('the answer to steps', () => {
  const busy = 'Server still has connections attached to it, cannot remove it.';
  const moved = "IP changed from '127.0.0.1' to '127.0.0.2', port changed from '1' to '2' by 'stats socket command'";

  test.each<[string, string[], ReturnType<typeof parseStepsReply>]>([
    ['nothing said', ['', ''], { busy: 0, rejected: null }],
    ['done', ['New server registered.', '', 'Server deleted.', moved], { busy: 0, rejected: null }],
    ['done before', ['nothing changed', "no need to change the addr, port 80 by 'x'"], { busy: 0, rejected: null }],
    ['still busy', [busy, 'Server deleted.', busy], { busy: 2, rejected: null }],
    ['rejected', ['New server registered.', '', 'No such server.'], { busy: 0, rejected: 'No such server.' }],
    [
      'there already',
      ['Already exists a server with the same name in backend.'],
      { busy: 0, rejected: 'Already exists a server with the same name in backend.' },
    ],
    ['rejected and busy', [busy, 'Unknown command: x'], { busy: 1, rejected: 'Unknown command: x' }],
  ])('%s', (_what, lines, expected) => {
    expect(parseStepsReply(lines.join('\n'))).toEqual(expected);
  });
});

describe('the answer to a reload', () => {
  const refused = [
    'Success=0',
    '--',
    '[NOTICE]   (3644) : haproxy version is 3.0.11-1+deb13u4',
    '[ALERT]    (3644) : Binding [h.cfg:17] for proxy a:8000: protocol tcpv4: cannot bind socket (Address already in use) for [0.0.0.0:8000].',
    '[WARNING]  (3644) : Loading failure!',
    '',
    '',
  ].join('\n');

  test('that worked', () => {
    const reloaded = 'Success=1\n--\n[NOTICE]   (1) : Loading success.\n\n';
    expect(parseReload(reloaded)).toEqual({ success: true, log: '[NOTICE]   (1) : Loading success.' });
    expect(parseReload('Success=1\n')).toEqual({ success: true, log: '' });
  });

  test('that failed has the words of the new worker, and in them the port that is taken', () => {
    const { success, log } = parseReload(refused);
    expect(success).toBe(false);
    expect(log).toMatch(/^\[NOTICE\] {3}\(3644\)[\s\S]*Loading failure!$/);
    expect(unboundPorts(log)).toEqual([8000]);
  });

  test.each(['', 'Success=', 'Success=2', '--\nSuccess=1', 'Unknown command'])('is never guessed: %j', (text) => {
    expect(() => parseReload(text)).toThrow('the master did not say whether the reload succeeded');
  });
});

test.each([
  ['IPv4', 'cannot bind socket (Address already in use) for [0.0.0.0:8000]', [8000]],
  ['IPv6', 'protocol tcpv6: cannot bind socket (Address already in use) for [:::8000].', [8000]],
  ['an IPv6 address', 'cannot bind socket (Address already in use) for [2001:db8::7:8000]', [8000]],
  ['a port that needs root', 'cannot bind socket (Permission denied) for [0.0.0.0:80]', [80]],
  [
    'several, one of them twice',
    'cannot bind socket (X) for [0.0.0.0:1]\ncannot bind socket (X) for [0.0.0.0:2]\ncannot bind socket (X) for [:::1]',
    [1, 2],
  ],
  ['another failure', '[ALERT] (1) : parsing [h.cfg:17] : unknown keyword', []],
  ['nothing', '', []],
])('the ports that could not be bound: %s', (_what, log, ports) => {
  expect(unboundPorts(log)).toEqual(ports);
});

describe('show proc', () => {
  test('has the pid of the current worker, not of the master or of an old one', () => {
    expect(parseWorkerPid(reply('show-proc.txt'))).toBe(3651);
  });

  test.each([
    ['no worker yet', '#<PID> <type>\n1 master 0\n# workers\n# old workers\n7 worker 1\n# programs\n'],
    ['another answer', 'Unknown command\n'],
    ['no answer', ''],
  ])('has none: %s', (_what, text) => {
    expect(parseWorkerPid(text)).toBeNull();
  });
});

test('no garbage makes the readers of free text throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(unboundPorts(text)).toBeInstanceOf(Array);
      expect(parseWorkerPid(text) ?? 0).toBeTypeOf('number');
    }),
  );
});
