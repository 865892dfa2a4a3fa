import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { quote, runCommand } from '../lab/command.js';
import { haproxyPath } from '../lab/haproxy.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { examine } from './support/doctor.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { closed, freePorts, listenOn } from './support/free-ports.js';
import { createSite, type Site } from './support/site.js';

let binary: string;
let etcd: TestEtcd;
let dir: string;
let site: Site;
let backEnd: BackEnd;
let env: Record<string, string>;

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  backEnd = await startBackEnd('one');
}, 600_000);
afterAll(() => backEnd.close());

beforeEach(async () => {
  etcd = await startEtcd();
  dir = await mkdtemp(join(tmpdir(), 'doctor-'));
  const ports = await freePorts(6);
  const own = {
    METRICS_BIND: `127.0.0.1:${String(ports[4])}`,
    STATUS_BIND: `127.0.0.1:${String(ports[5])}`,
  };
  site = await createSite({ etcd, binary, ports, prefix: '/backends', env: own });
  env = {
    ETCD_HOST: etcd.host,
    HAPROXY: binary,
    RUN_DIR: site.runDir,
    STATE_DIR: join(site.dir, 'state'),
    BIND: '127.0.0.1',
    NETWORKS: '127.0.0.0/8,0.0.0.0/0',
    STATS_BIND: `127.0.0.1:${String(site.statsPort)}`,
    ...own,
  };
  await site.put('web/a', `${backEnd.address}?port=${String(site.port)}`);
});
afterEach(async () => {
  await site.dispose();
  await etcd.dispose();
  await rm(dir, { recursive: true, force: true });
});

const doctor = (more: Record<string, string> = {}) => examine('docker-discover', { ...env, ...more });

describe('docker-discover doctor tells', () => {
  it('that all is well beside a daemon that runs, with figures', async () => {
    site.start();
    await site.answers(site.port, 'one');
    const told = await doctor();
    expect(told.findings.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(told.of('ports')).toMatch(
      /^ok ports: 0 free, 4 ours: stats page 127\.0\.0\.1:\d+, metrics .*, status page .*, web 127/,
    );
    expect(told.of('HAProxy')).toMatch(/^(ok|warning) HAProxy: version \d/);
    expect(told.of('etcd watch')).toMatch(/^ok /);
    expect(told.of('template')).toBe('ok template: taken, with 1 listener');
    expect(told.of('docker-discover')).toBe('ok docker-discover: ready, with 1 listener and 1 endpoint');
    expect(told.of('catalog')).toMatch(/^ok catalog: live, at revision \d+$/);
    expect(told.of('not served')).toBe('ok not served: nothing');
    expect(told.of('open files')).toMatch(/^(ok|warning) open files: limit \d+, enough for \d+ connections/);
  });

  it('what would be without it, where no daemon runs', async () => {
    const told = await doctor();
    expect(told.code).toBe(0);
    expect(told.of('ports')).toMatch(/^ok ports: 4 free, 0 ours/);
    expect(told.of('docker-discover')).toMatch(/^warning .*does not run here, with RUN_DIR /);
  });

  it('which ports others have, whether the daemon runs or not', async () => {
    const others = [await listenOn(site.port), await listenOn(site.statsPort)];
    try {
      const port = new RegExp(`^failed ports: 127.0.0.1:${String(site.port)} \\(web\\) is taken .*set MAP$`, 'm');
      const stats = new RegExp(
        `^failed ports: 127.0.0.1:${String(site.statsPort)} \\(stats page\\) .*STATS_BIND$`,
        'm',
      );
      const before = (await doctor()).of('ports');
      expect(before).toMatch(port);
      expect(before).toMatch(stats);
      await site.put('web/a', `10.0.0.9:80?port=${String(site.port)}`);
      await site.put('other/b', `${backEnd.address}?port=${String(site.otherPort)}`);
      site.start();
      await site.answers(site.otherPort, 'one');
      const beside = await doctor();
      expect(beside.of('ports')).toMatch(port);
      expect(beside.of('ports')).toMatch(stats);
      expect(beside.of('ports').split('\n')).toHaveLength(2);
      expect(beside.of('not served')).toMatch(/^warning not served: 2, such as .* \| docker-discover ls lists all/);
    } finally {
      await Promise.all(others.map(closed));
    }
  });

  it('which address is not of this host', async () => {
    expect((await doctor({ BIND: '127.0.0.1,198.51.100.7' })).of('ports')).toMatch(
      /^failed ports: 198\.51\.100\.7 \(services\): this host has no such address \| give BIND/,
    );
  });

  it('that etcd is away, and what goes on without it', async () => {
    site.start();
    await site.answers(site.port, 'one');
    await etcd.kill();
    const told = await doctor();
    expect(told.code).toBe(1);
    expect(told.of(`etcd ${etcd.url}`)).toMatch(/^failed .* \| start etcd there/);
    expect(told.of('etcd read')).toMatch(/^failed /);
    expect(told.of('etcd watch')).toMatch(/^failed /);
    expect(told.of('template')).toMatch(/^ok template: taken; without services/);
    expect(told.of('ports')).toMatch(/^ok ports: 0 free, 4 ours/);
    expect(told.of('docker-discover')).toMatch(/^ok /);
  });

  it('that there is no HAProxy', async () => {
    const told = await doctor({ HAPROXY: '/nowhere/haproxy' });
    expect(told.of('HAProxy')).toMatch(/^failed HAProxy: HAPROXY "\/nowhere\/haproxy" can't be run .* \| give HAPROXY/);
    expect(told.of('ports')).toMatch(/^ok /);
  });

  it('that a template is refused', async () => {
    const template = join(dir, 'nonsense');
    await writeFile(template, 'nonsense\n');
    expect((await doctor({ TEMPLATE: template })).of('template')).toMatch(
      /^failed .*'nonsense'.* \| correct the template/,
    );
  });

  it('that a directory can not be written', async () => {
    const file = join(dir, 'file');
    await writeFile(file, '');
    expect((await doctor({ STATE_DIR: join(file, 'state') })).of('STATE_DIR')).toMatch(
      /^failed STATE_DIR: .*can't be written: ENOTDIR.* \| make it writable/,
    );
  });

  it('that another proxy has its own ports, with EXEC', async () => {
    const template = join(dir, 'list');
    await writeFile(template, '{{#listeners}}{{name}}\n{{/listeners}}');
    const told = await doctor({ EXEC: 'true', OUTPUT: join(dir, 'out'), TEMPLATE: template });
    expect(told.code).toBe(0);
    expect(told.of('HAProxy')).toMatch(/^not checked HAProxy: EXEC runs another proxy/);
    expect(told.of('template')).toBe('ok template: taken, with 1 listener');
    expect(told.of('ports')).toBe('');
  });
});

describe('colours', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const program = [process.execPath, '--import', 'tsx', 'src/cli/docker-discover.ts'];
  const escape = '\u001b[';

  /** On a terminal of its own: script(1) makes one. */
  async function onTerminal(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
    const command = [...program, ...args].map(quote).join(' ');
    const { stdout } = await runCommand(['script', '-qec', command, '/dev/null'], {
      cwd: root,
      check: false,
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', ...env, ...more },
    });
    return stdout;
  }

  it('are on a terminal, and neither in a pipe nor for whoever has set NO_COLOR', async () => {
    site.start();
    await site.answers(site.port, 'one');
    for (const command of ['ls', 'doctor']) {
      expect(await onTerminal([command])).toContain(escape);
      expect(await onTerminal([command], { NO_COLOR: '1' })).not.toContain(escape);
      expect(await onTerminal([command], { TERM: 'dumb' })).not.toContain(escape);
      expect(await onTerminal([command, '--json'])).not.toContain(escape);
      const piped = await site.run(command);
      expect(piped.output).toMatch(/web|RESULT/);
      expect(piped.output).not.toContain(escape);
    }
    expect(await onTerminal(['ls'])).toContain(`${escape}32mUP${escape}39m`);
    expect(await onTerminal(['explain', 'web'])).toContain(`${escape}32mUP for `);
  });
});
