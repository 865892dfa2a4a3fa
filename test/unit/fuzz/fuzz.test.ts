import { describe, expect, test } from 'vitest';
import { parseFuzzArguments } from '../../fuzz/arguments.js';
import { runBatch } from '../../fuzz/campaign.js';
import { checkConfiguration } from '../../fuzz/configuration.js';
import { createKit } from '../../fuzz/kit.js';
import { createSinks, type Sinks } from '../../fuzz/sinks.js';
import { createTally } from '../../fuzz/tally.js';
import { targets } from '../../fuzz/targets.js';
import { listenerWith, modelWith } from '../support/models.js';

/** Another one each time; what is found is found again with the seed that is shown. */
const seed = Date.now() % 2 ** 31;
/** On a busy machine. */
const timeoutMs = 60_000;

test.each(targets)(
  'nothing outside its grammar comes out, whatever comes in: $name',
  (target) => {
    expect(runBatch(target, { seed, runs: 2 * target.share, kit: createKit() })).toBeNull();
  },
  timeoutMs,
);

test(
  'the same seed has the same cases',
  () => {
    const outcomesOf = (from: number): string[] => {
      const kit = createKit();
      for (const target of targets) runBatch(target, { seed: from, runs: 40, kit });
      return kit.tally.lines().filter((line) => line.includes('key ') || line.includes('container'));
    };
    expect(outcomesOf(7)).toEqual(outcomesOf(7));
    expect(outcomesOf(7)).not.toEqual(outcomesOf(8));
  },
  timeoutMs,
);

test(
  'a good share is accepted',
  () => {
    const kit = createKit();
    for (const target of targets) runBatch(target, { seed: 1, runs: 200, kit });
    const count = (outcome: string): number =>
      Number(new RegExp(`^ +${outcome} +([\\d,]+)$`, 'm').exec(kit.tally.lines().join('\n'))?.[1]?.replaceAll(',', ''));
    expect(count('key endpoint')).toBeGreaterThan(100);
    expect(count('key rejected')).toBeGreaterThan(100);
    expect(count('container registered')).toBeGreaterThan(20);
    expect(count('saved state accepted')).toBeGreaterThan(20);
  },
  timeoutMs,
);

describe('a sink refuses', () => {
  const sinks = createSinks(createTally());
  const event = '{"level":"info","time":"2026-11-23T11:05:00.123Z","name":"fuzz","msg":"a"}\n';
  const server =
    'check inter 5s fastinter 500ms downinter 1s rise 2 fall 2 observe layer4 error-limit 10 on-error mark-down';

  test.each<[string, (to: Sinks) => void, (to: Sinks) => void]>([
    [
      'a key with another byte',
      (to) => {
        to.key('/backends/web/a b');
      },
      (to) => {
        to.key('/backends/web/a:80');
      },
    ],
    [
      'a key of three parts',
      (to) => {
        to.key('/backends/web/a/b');
      },
      (to) => {
        to.key('/backends/web/a');
      },
    ],
    [
      'a value that is too long',
      (to) => {
        to.value(`10.0.0.1:80?port=80&a=${'x'.repeat(900)}&b=${'x'.repeat(900)}&c=${'x'.repeat(900)}`);
      },
      (to) => {
        to.value('10.0.0.1:80?port=80');
      },
    ],
    [
      'a value with an octet too much',
      (to) => {
        to.value('10.0.0.256:80?port=80');
      },
      (to) => {
        to.value('[2001:db8::7]:80?port=80&tags=a\\,b');
      },
    ],
    [
      'an escape sequence',
      (to) => {
        to.line('x', '\u001b[2J', 10);
      },
      (to) => {
        to.line('x', '\\u001b[2J…', 10);
      },
    ],
    [
      'a C1 control',
      (to) => {
        to.line('x', '\u009b2J', 10);
      },
      (to) => {
        to.line('x', '', 0);
      },
    ],
    [
      'a line that is too long',
      (to) => {
        to.line('x', 'aaa', 2);
      },
      (to) => {
        to.line('x', 'aa', 2);
      },
    ],
    [
      'a row of a table that is forged',
      (to) => {
        to.terminal('x', { plain: 'a\nb\n', painted: 'a\nb\n', lines: 1 });
      },
      (to) => {
        to.terminal('x', { plain: 'a\n', painted: '\u001b[32ma\u001b[39m\n', lines: 1 });
      },
    ],
    [
      'a colour that is not ours',
      (to) => {
        to.terminal('x', { plain: 'a\n', painted: '\u001b[5ma\n' });
      },
      (to) => {
        to.terminal('x', { plain: 'a\n', painted: 'a\n' });
      },
    ],
    [
      'white space in a view',
      (to) => {
        to.view([{ name: 'a b' }]);
      },
      (to) => {
        to.view([{ name: 'a.b' }]);
      },
    ],
    [
      'a second route',
      (to) => {
        to.routes('a/ web:80\nb/ web:80\n', 1);
      },
      (to) => {
        to.routes('a/ web:80\nb/ web:80\n', 2);
      },
    ],
    [
      'a second command',
      (to) => {
        to.commands(['del server web:80/a;disable server web:80/b']);
      },
      (to) => {
        to.commands([`del server web:80/a;add server web:80/b 10.0.0.1:80 weight 1 ${server}`]);
      },
    ],
    [
      'another keyword',
      (to) => {
        to.commands([`add server web:80/b 10.0.0.1:80 weight 1 agent-check ${server}`]);
      },
      (to) => {
        to.commands([]);
      },
    ],
    [
      'a second event',
      (to) => {
        to.logJson(event + event, 1);
      },
      (to) => {
        to.logJson(event, 1);
      },
    ],
    [
      'a level that is forged',
      (to) => {
        to.logJson(event.replace('"msg":', '"level":"error","msg":'), 1);
      },
      (to) => {
        to.logJson(event.replace('"msg":', '"key":"x","msg":'), 1);
      },
    ],
    [
      'an event of three colours too many',
      (to) => {
        to.logText(`[11:05:00.123] \u001b[32mINFO\u001b[39m: ${'\u001b[31ma'.repeat(5)}\n`, 1);
      },
      (to) => {
        to.logText('[11:05:00.123] \u001b[32mINFO\u001b[39m: \u001b[36ma\u001b[39m\n', 1);
      },
    ],
    [
      'a second event of the feed',
      (to) => {
        to.feed('data: {}\n\ndata: {}\n\n');
      },
      (to) => {
        to.feed('data: {}\n\n');
      },
    ],
    [
      'JSON that says something else',
      (to) => {
        to.json('x', '{"a":1}', { a: 2 });
      },
      (to) => {
        to.json('x', '{"a":1}', { a: 1 });
      },
    ],
  ])('%s', (_what, bad, good) => {
    expect(() => {
      bad(sinks);
    }).toThrow();
    expect(() => {
      good(sinks);
    }).not.toThrow();
  });

  const head = 'global\n';
  const section = `\nlisten whoami:8000\n    bind *:8000\n    mode tcp\n    server 0123456789ab 10.170.71.226:49153 weight 1 ${server}\n`;
  const model = modelWith(listenerWith());

  test.each([
    ['a directive of nobody', `${section}    use-server a\n`],
    ['a section of nobody', `${section}\nlisten evil:1\n`],
    ['a server of nobody', section.replace(/( +server) (\S+)(.*\n)/, '$1 $2$3$1 evil$3')],
    ['a section that is missing', ''],
    ['a server that is missing', section.replace(/ +server .*\n/, '')],
    ['a bind that is none', section.replace('*:8000', 'unix@/x')],
  ])('haproxy.cfg with %s', (_what, text) => {
    expect(() => {
      checkConfiguration(head + section, head, model);
    }).not.toThrow();
    expect(() => {
      checkConfiguration(head + text, head, model);
    }).toThrow('haproxy.cfg');
    expect(() => {
      checkConfiguration(`user root\n${section}`, head, model);
    }).toThrow('its head is another');
  });
});

describe('the arguments', () => {
  test('have defaults', () => {
    expect(parseFuzzArguments([], 7)).toEqual({ cases: 1_000_000, seed: 7, only: null, haproxy: null });
    expect(
      parseFuzzArguments(['--seed', '2147483647', '--cases', '5', '--only', 'keys', '--haproxy', '/x'], 7),
    ).toEqual({
      cases: 5,
      seed: 2_147_483_647,
      only: 'keys',
      haproxy: '/x',
    });
  });

  test.each([
    ['--cases', '0'],
    ['--cases'],
    ['--seed', '2147483648'],
    ['--seed', '-1'],
    ['--only', 'all'],
    ['--haproxy'],
    ['5'],
  ])('not: %s %s', (...args) => {
    expect(parseFuzzArguments(args, 7)).toContain('it takes --cases N');
  });
});
