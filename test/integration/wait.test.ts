import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify, stripVTControlCharacters } from 'node:util';
import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { Echo } from './support/echo.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let site: Site;
let echo: Echo;

beforeEach(async () => {
  echo = await stand.echo('a');
  site = await stand.site();
});

const put = (attributes = ''): Promise<void> =>
  site.put('web/a', `${echo.address}?port=${String(site.port)}${attributes}`);

it('docker-discover wait ends when the pool is as wanted: up, and then out', async () => {
  const up = site.run('wait', 'web', '--up', '1', '--timeout', '30s');
  site.start();
  await put();
  expect(await up).toEqual({ code: 0, output: '' });
  // Its first check may be yet to come: `UP 1/2`.
  expect((await site.ls()).listeners[0]?.endpoints[0]?.status).toMatch(/^UP/);
  const down = site.run('wait', `web:${String(site.port)}`, '--down', 'a', '--timeout', '30s');
  await put('&state=drain');
  expect(await down).toEqual({ code: 0, output: '' });
});

it('docker-discover wait ends with 1 and the reason where it is not in time', async () => {
  site.start();
  await put();
  expect((await site.run('wait', 'web')).code).toBe(0);
  expect(await site.run('wait', 'web', '--up', '2', '--timeout', '200ms')).toEqual({
    code: 1,
    output: 'docker-discover: web is not as wanted after 200ms: 2 wanted up, and there is a UP (L4OK)\n',
  });
  expect(await site.run('wait', 'web', '--down', 'a', '--timeout', '0s')).toMatchObject({ code: 1 });
});

it('docker-discover wait --down succeeds for what nobody has seen, and says so', async () => {
  site.start();
  await put();
  expect((await site.run('wait', 'web')).code).toBe(0);
  expect(await site.run('wait', 'web', '--down', 'typo', '--timeout', '5s')).toEqual({
    code: 0,
    output:
      'docker-discover: web has had no endpoint typo here since the wait began; docker-discover ls shows its ids\n',
  });
});

it('a STATE_DIR in which nothing can be made is told of again and again, and ends no daemon', async () => {
  const daemon = site.start({ STATE_DIR: '/proc/none' });
  await put();
  await waitFor('the message', (seen) =>
    seen(daemon.output()).includes("/proc/none/last-known-good.json can't be written"),
  );
  expect((await site.run('wait', 'web')).code).toBe(0);
  expect(await site.stop()).toBe(0);
});

it('docker-discover wait tells that no daemon answers, and refuses what it does not understand', async () => {
  const { code, output } = await site.run('wait', 'web', '--timeout', '0s');
  expect([code, output]).toEqual([1, expect.stringContaining('the daemon does not answer at')]);
  expect(await site.run('wait', 'a b')).toMatchObject({
    code: 2,
    output: expect.stringContaining('is not a service name') as string,
  });
  expect(await site.run('wait')).toMatchObject({ code: 2 });
});

it('docker-discover explain tells where an endpoint comes from and how it is, and why something is missing', async () => {
  site.start({ DENY_SERVICES: 'hidden' });
  await put();
  await site.put('web/dead', `127.0.0.1:1?port=${String(site.port)}`);
  await site.put('hidden/x', `127.0.0.1:2?port=${String(site.otherPort)}`);
  expect((await site.run('wait', 'web')).code).toBe(0);
  await waitFor('the check', async (seen) => seen((await site.run('explain', 'web')).output).includes('DOWN'));
  const { code, output } = await site.run('explain', 'web');
  expect(code).toBe(0);
  expect(output).toContain(`web: port ${String(site.port)}`);
  expect(output).toMatch(/\/web\/a +127\.0\.0\.1:\d+ +UP for \d+s, 0 sessions +Layer4 check passed/);
  expect(output).toMatch(
    /\/web\/dead +127\.0\.0\.1:1 +DOWN for \d+s, 0 sessions +Layer4 connection problem: Connection refused/,
  );
  const json = JSON.parse((await site.run('explain', 'web', '--json')).output) as {
    listeners: { endpoints: object[] }[];
  };
  expect(json.listeners[0]?.endpoints).toHaveLength(2);
  expect((await site.run('--deny-services', 'hidden', 'explain', 'hidden')).output).toContain(
    'SERVICES or DENY_SERVICES leave it out on this host',
  );
  expect((await site.run('explain', 'nothing')).output).toContain('/nothing/ stands in etcd');
});

it('docker-discover ls --watch prints each change, waits for a daemon that is away, and ends on SIGINT', async () => {
  const watching = site.follow('ls', '--watch', '--json');
  await waitFor('the first word', (seen) => seen(watching.output()).includes('the daemon does not answer at'));
  site.start();
  await put();
  await waitFor('the endpoint', (seen) => seen(watching.output()).includes('"status": "UP"'));
  await put('&weight=7');
  await waitFor('the change', (seen) => seen(watching.output()).includes('"weight": 7'));
  watching.signal('SIGINT');
  expect(await watching.ended).toBe(0);
  const lines = watching
    .output()
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('listeners');
});

it('docker-discover ls --watch shows as much as the terminal has room for, and draws anew when it has more', async () => {
  site.start();
  for (let n = 0; n < 30; n += 1)
    await site.put(`web/s${String(n)}`, `127.0.1.${String(n)}:1?port=${String(site.port)}`);
  await waitFor('the endpoints', async (seen) => seen((await site.ls()).listeners[0]?.endpoints.length) === 30);
  const command = `stty rows 12 cols 100; tty; exec ${process.execPath} --import tsx src/cli/docker-discover.ts --run-dir ${site.runDir} ls --watch`;
  const watching = spawn('script', ['-qfc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  watching.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(watching, 'exit');
  const lastScreen = (): string => stripVTControlCharacters(output.split('\u001b[H\u001b[2J').at(-1) ?? '');
  try {
    await waitFor('the first screen', (seen) => seen(lastScreen()).includes('make the terminal larger'));
    expect(lastScreen().split('\n')).toHaveLength(12);
    expect(lastScreen()).toMatch(/^etcd: live/);
    expect(lastScreen()).toMatch(/… \d\d more rows; make/);
    const [tty = ''] = /\/dev\/pts\/\d+/.exec(output) ?? [];
    await promisify(execFile)('stty', ['-F', tty, 'rows', '60']);
    await waitFor('the larger screen', (seen) => seen(lastScreen()).includes(' s29 '));
    expect(lastScreen()).not.toContain('make the terminal larger');
  } finally {
    watching.kill();
    await ended;
  }
});
