import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOutputFile } from '../../src/adapters/exec/output-file.js';
import { runShell } from '../../src/adapters/exec/shell.js';
import { waitFor } from '../lab/wait-for.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { createSite, type Site } from './support/site.js';

const { signal } = new AbortController();
const seconds = 1_000;

async function pidsOf(text: string): Promise<number[]> {
  const { words } = await runShell({ command: `pgrep -f '${text}' || true`, env: {}, timeoutMs: 10 * seconds }, signal);
  const { pid } = process;
  return words
    .split('\n')
    .filter((line) => line !== '')
    .map(Number)
    .filter((one) => one !== pid);
}

describe('a command', () => {
  it('has a shell, its variables and its words', async () => {
    const command = 'echo "$FILE" | tr a-z A-Z; echo oops >&2; exit 3';
    const result = await runShell({ command, env: { FILE: 'a b' }, timeoutMs: 10 * seconds }, signal);
    expect(result).toEqual({ code: 3, words: expect.stringContaining('A B') as string, timedOut: false });
    expect(result.words).toContain('oops');
  });

  it('is heard to its last word', async () => {
    const command = 'seq 1 5000; echo the last word; exit 1';
    for (let n = 0; n < 30; n += 1) {
      const { code, words } = await runShell({ command, env: {}, timeoutMs: 10 * seconds }, signal);
      expect([code, words.split('\n').at(-1)]).toEqual([1, 'the last word']);
    }
  });

  it('that hangs is ended with all that it started, also where it does not want to', async () => {
    const mark = `8${String(process.pid)}1`;
    const command = `trap '' TERM; (trap '' TERM; sleep ${mark}) & sleep ${mark}; sleep ${mark}`;
    const startedAt = performance.now();
    const result = await runShell({ command, env: {}, timeoutMs: 200 }, signal);
    expect(result).toMatchObject({ code: null, timedOut: true });
    expect(performance.now() - startedAt).toBeLessThan(20 * seconds);
    await waitFor('the end of its children', async (seen) => seen(await pidsOf(`sleep ${mark}$`)).length === 0);
  });

  it('may leave something in the background, which can go on talking', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'exec-'));
    try {
      const command = `(for n in 1 2 3 4 5; do echo tick; echo $n >>${dir}/ticks; sleep 0.1; done) & echo started`;
      expect(await runShell({ command, env: {}, timeoutMs: 10 * seconds }, signal)).toMatchObject({ code: 0 });
      await waitFor(
        'all ticks',
        async (seen) => seen(await readFile(join(dir, 'ticks'), 'utf8').catch(() => '')) === '1\n2\n3\n4\n5\n',
      );
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('that is ended has two seconds for its own end, and what it started too', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'exec-'));
    try {
      await writeFile(
        join(dir, 'graceful'),
        `trap 'sleep 0.3; echo clean >${dir}/clean; exit' TERM\n: >${dir}/ready\nwhile :; do sleep 0.05; done\n`,
      );
      const command = `sh ${dir}/graceful; true`;
      const end = new AbortController();
      const running = runShell({ command, env: {}, timeoutMs: 60 * seconds }, end.signal);
      await waitFor('its trap', () => access(join(dir, 'ready')).then(() => true));
      end.abort();
      expect(await running).toMatchObject({ code: null });
      expect(await readFile(join(dir, 'clean'), 'utf8')).toBe('clean\n');
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('is ended when the daemon is', async () => {
    const controller = new AbortController();
    const running = runShell({ command: 'sleep 60', env: {}, timeoutMs: 60 * seconds }, controller.signal);
    controller.abort();
    expect(await running).toMatchObject({ code: null, timedOut: false });
  });
});

describe('a file', () => {
  let dir: string;
  let path: string;
  const outputWith = (
    check: string | null,
    command = 'true',
    timeoutMs = 10 * seconds,
  ): ReturnType<typeof createOutputFile> => createOutputFile({ path, check, command, timeoutMs });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'exec-'));
    path = join(dir, 'out.conf');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is replaced as a whole, after the check, and leaves nothing beside it', async () => {
    await writeFile(path, 'old');
    await outputWith(`grep -q new "$FILE" && grep -q old ${path}`).take('new', signal);
    expect(await readFile(path, 'utf8')).toBe('new');
    await expect(access(`${path}.candidate`)).rejects.toThrow('ENOENT');
  });

  it('stands where the check refuses, hangs, or is not there', async () => {
    await writeFile(path, 'old');
    await expect(outputWith('echo bad; exit 7').take('new', signal)).rejects.toThrow('EXEC_CHECK ended with 7: bad');
    await expect(outputWith('sleep 60', 'true', 100).take('new', signal)).rejects.toThrow(
      'EXEC_CHECK was ended after 100 ms (EXEC_TIMEOUT)',
    );
    await expect(outputWith('/nowhere/check').take('new', signal)).rejects.toThrow(
      /EXEC_CHECK ended with 127: .*not found/,
    );
    expect(await readFile(path, 'utf8')).toBe('old');
    await expect(access(`${path}.candidate`)).rejects.toThrow('ENOENT');
  });

  it('is told of by a command, whose failure has its words', async () => {
    await outputWith(null).take('new', signal);
    await outputWith(null, `cp "$FILE" ${dir}/told`).tell(signal);
    expect(await readFile(join(dir, 'told'), 'utf8')).toBe('new');
    await expect(outputWith(null, 'echo no proxy >&2; false').tell(signal)).rejects.toThrow(
      'EXEC ended with 1: no proxy',
    );
  });
});

describe('docker-discover with EXEC', () => {
  let etcd: TestEtcd;
  let site: Site;
  let file: string;
  let runs: string;

  beforeAll(async () => {
    etcd = await startEtcd();
  }, 600_000);
  afterAll(() => etcd.dispose());
  beforeEach(async () => {
    site = await createSite({ etcd, binary: '/nowhere/haproxy' });
    [file, runs] = [join(site.dir, 'out.conf'), join(site.dir, 'runs')];
    await writeFile(
      join(site.dir, 'template'),
      '{{#listeners}}{{service}}:{{#servers}}{{name}} {{/servers}}\n{{/listeners}}',
    );
  });
  afterEach(() => site.dispose());

  const env = (): Record<string, string> => ({
    TEMPLATE: join(site.dir, 'template'),
    OUTPUT: file,
    EXEC: `cat "$FILE" >>${runs}; echo -- >>${runs}`,
    RELOAD_INTERVAL: '100ms',
  });
  const has = (text: string): Promise<unknown> =>
    waitFor(`the file to have ${text}`, async (seen) => seen(await readFile(file, 'utf8').catch(() => '')) === text);

  it('keeps a file in step, tells of it, and needs no HAProxy', async () => {
    await site.put('web/a', '10.0.0.1:80');
    site.start(env());
    await has('web:a \n');
    await site.put('web/b', '10.0.0.2:80');
    await has('web:a b \n');
    await waitFor('the runs', async (seen) => seen(await readFile(runs, 'utf8')).endsWith('web:a b \n--\n'));
    const { output, haproxy, listeners } = await site.ls();
    expect([output?.path, haproxy.running]).toEqual([file, false]);
    expect(listeners).toMatchObject([{ service: 'web', port: 80, endpoints: [{ status: 'unknown' }, {}] }]);
    expect((await site.run('ls')).output).toContain(`${file}: EXEC ran `);
    expect((await site.run('healthcheck')).code).toBe(0);
    expect(await site.stop()).toBe(0);
    expect(await readFile(file, 'utf8')).toBe('web:a b \n');
  });

  it('tells of a command that fails, and of a file that can not be written, until they work', async () => {
    const flag = join(site.dir, 'flag');
    await writeFile(flag, '');
    await site.put('web/a', '10.0.0.1:80');
    site.start({ ...env(), EXEC: `[ ! -e ${flag} ] || { echo boom; exit 1; }` });
    await waitFor(
      'the fault',
      async (seen) => seen((await site.ls().catch(() => null))?.fault ?? null) === 'EXEC ended with 1: boom',
    );
    expect((await site.run('healthcheck')).code).toBe(1);
    await rm(flag);
    await waitFor('the end of the fault', async (seen) => seen((await site.ls()).fault) === null);
    expect((await site.run('healthcheck')).code).toBe(0);
    await site.stop();
    site.start({ ...env(), OUTPUT: site.dir });
    await waitFor('the other fault', async (seen) =>
      seen((await site.ls().catch(() => null))?.fault ?? '').includes('it is a directory; OUTPUT is a file'),
    );
  });

  it('writes nothing before it knows anything, and starts with what it knew last', async () => {
    await writeFile(file, 'mine');
    const nowhere = { ...env(), ETCD_HOST: '127.0.0.1:1' };
    site.start(nowhere);
    await waitFor('the daemon', async () => (await site.ls().catch(() => null)) !== null);
    await waitFor('its log to tell of etcd', (seen) => seen(site.output()).includes('etcd'));
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await site.run('healthcheck')).code).toBe(1);
    await site.stop();

    await site.put('web/a', '10.0.0.1:80');
    site.start(env());
    // What is known is saved when the command has run.
    await waitFor('the run', async (seen) => seen(await readFile(runs, 'utf8').catch(() => '')).includes('web:a'));
    await waitFor(
      'the state',
      async (seen) => seen((await readdir(join(site.dir, 'state')).catch(() => [])).length) > 0,
    );
    await site.stop();
    await rm(file);
    site.start(nowhere);
    await has('web:a \n');
  });

  it.each([
    [['--output', '/x'], 'OUTPUT is for EXEC'],
    [['--exec', 'true', '--output', '/x', '--template', '/tmp'], 'with EXEC it is the file that OUTPUT is made of'],
    [['--exec', 'true', '--output', '/x', '--template', '/nowhere'], 'TEMPLATE "/nowhere" can\'t be read'],
  ])('%j is refused at the start', async (args, mend) => {
    const { code, output } = await site.run(...args);
    expect([code, output]).toEqual([2, expect.stringContaining(mend)]);
  });
});
