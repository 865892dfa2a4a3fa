import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

/** What systemd does with its socket: one datagram, one line each. Node has no datagram sockets in the file system. */
const receiver = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die;
print "open\\n";
while (defined recv($s, my $m, 4096, 0)) { print "$m\\n" }
`;

const stand = useStand();
let site: Site;
let dir: string;
let systemd: ChildProcess;
let heard: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'notify-'));
  heard = '';
  systemd = spawn('perl', ['-e', receiver, join(dir, 'notify')], { stdio: ['ignore', 'pipe', 'inherit'] });
  systemd.stdout?.on('data', (text: Buffer) => (heard += String(text)));
  await waitFor('the socket', () => heard.includes('open'));
  site = await stand.site();
});
afterEach(async () => {
  const ended = once(systemd, 'exit');
  systemd.kill();
  await ended;
  await rm(dir, { recursive: true, force: true });
});

it('is told when docker-discover is ready, that it lives, how it is, and that it stops', async () => {
  site.start({ NOTIFY_SOCKET: join(dir, 'notify'), WATCHDOG_USEC: '2000000' });
  const hears = (words: string): Promise<unknown> => waitFor(words, (seen) => seen(heard).includes(words));
  await hears('READY=1');
  await hears('STATUS=ready: etcd is followed');
  await hears('WATCHDOG=1');
  await stand.etcd.kill();
  try {
    await hears('STATUS=ready, on the last known good state');
  } finally {
    await stand.etcd.start();
  }
  expect(await site.stop()).toBe(0);
  await hears('STOPPING=1');
});

it('lets a start go on for as long as etcd is away, which is not ready to anybody', async () => {
  const metricsPort = site.thirdPort;
  await stand.etcd.kill();
  try {
    site.start({ NOTIFY_SOCKET: join(dir, 'notify'), METRICS_BIND: `127.0.0.1:${String(metricsPort)}` });
    const waits = 'not ready: etcd has not answered yet, and there is no last known good state';
    await waitFor('the extension and the status', (seen) => {
      seen(heard);
      return heard.includes('EXTEND_TIMEOUT_USEC=') && heard.includes(`STATUS=${waits}`);
    });
    await waitFor('HAProxy to run', async (seen) => seen(await site.ls()).haproxy.running);
    const readyz = await fetch(`http://127.0.0.1:${String(metricsPort)}/readyz`);
    expect([readyz.status, await readyz.text()]).toEqual([503, `${waits}\n`]);
    expect(await site.run('healthcheck')).toEqual({
      code: 1,
      output: `docker-discover: ${waits}; the log tells why\n`,
    });
    expect((await site.run('ls')).output).toContain(
      'no service is known: etcd has not answered yet, and there is no last known good state\n',
    );
    const explained = (await site.run('explain', 'web')).output;
    expect(explained).toContain('- etcd has not answered yet');
    expect(explained).not.toContain('stands in etcd');
    // It is said again before the time that was asked for is over.
    await waitFor('the second extension', () => heard.split('EXTEND_TIMEOUT_USEC=').length > 2);
    expect(heard).not.toContain('READY=1');
  } finally {
    await stand.etcd.start();
  }
  await waitFor('READY=1', (seen) => seen(heard).includes('READY=1'));
  expect((await site.run('healthcheck')).code).toBe(0);
});

it('that can not be told is one line in the log, and the daemon goes on', async () => {
  site.start({ NOTIFY_SOCKET: join(dir, 'nobody') });
  await waitFor('the line', () => site.told('systemd is not told how the daemon is') === 1);
  // It may be told before HAProxy has started.
  await waitFor('HAProxy to run', async (seen) => seen(await site.ls()).haproxy.running);
});
