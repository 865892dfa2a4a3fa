import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectDir } from '../lab/cache.js';
import { runCommand } from '../lab/command.js';
import { haproxyPath } from '../lab/haproxy.js';
import { waitFor } from '../lab/wait-for.js';
import { startBackEnd, type BackEnd } from './support/back-end.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';

const names = ['docker-register', 'docker-discover'] as const;

let dir: string;
let packed: readonly string[];
let binary: string;
let etcd: TestEtcd;
let backEnd: BackEnd;
const started: ChildProcess[] = [];

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  etcd = await startEtcd();
  backEnd = await startBackEnd('shop');
  dir = await mkdtemp(join(tmpdir(), 'package-'));
  const options = { cwd: await copyOfProject(), timeoutMs: 180_000 };
  const { stdout } = await runCommand(['npm', 'pack', '--silent', '--pack-destination', dir], options);
  const tarball = join(dir, stdout.trim());
  packed = (await runCommand(['tar', '-tzf', tarball])).stdout.trim().split('\n').sort();
  await writeFile(join(dir, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  const install = ['install', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await runCommand(['npm', ...install, tarball], { cwd: dir, timeoutMs: 300_000 });
}, 900_000);

/** `npm pack` builds anew where it is, and other tests use what is built in the project itself. */
async function copyOfProject(): Promise<string> {
  const copy = join(dir, 'project');
  const left = new Set(['node_modules', '.git', 'dist', 'man', 'completions', 'screenshots']);
  await cp(projectDir, copy, { recursive: true, filter: (path) => !left.has(relative(projectDir, path)) });
  await symlink(join(projectDir, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

afterAll(async () => {
  for (const child of started) await stop(child);
  await backEnd.close();
  await etcd.dispose();
  await rm(dir, { recursive: true, force: true });
});

function installed(...path: readonly string[]): string {
  return join(dir, 'node_modules', 'docker-discover', ...path);
}

/** One of the commands of the package, as npm has linked it. */
function commandOf(name: (typeof names)[number]): string {
  return join(dir, 'node_modules', '.bin', name);
}

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Started {
  const child = spawn(program, args, { cwd: dir, env: { PATH: process.env['PATH'], ...env } });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output };
}

/** SIGTERM, and the exit code. */
async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  }
  return child.exitCode;
}

async function answerAt(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${String(port)}/`, { signal: AbortSignal.timeout(2_000) });
  return response.text();
}

it('has what it needs, and nothing else', () => {
  const wanted = [
    /^package\.json$/,
    /^(README|CHANGELOG)\.md$/,
    /^LICENSE$/,
    /^dist\/(adapters|cli|core|daemon|library|ports)\/[\w/-]+\.js$/,
    /^dist\/page\/(index\.html|[\w-]+\.(js|css|svg))$/,
    /^dist\/library\/[\w-]+\.d\.ts$/,
    /^templates\/[\w/.-]+\.mustache$/,
    /^man\/docker-(register|discover)\.1$/,
    /^completions\/(docker-(register|discover)\.(bash|fish)|_docker-(register|discover))$/,
  ];
  const files = packed.map((file) => file.replace(/^package\//, ''));
  expect(files.filter((file) => !wanted.some((pattern) => pattern.test(file)))).toEqual([]);
  for (const pattern of wanted)
    expect(
      files.some((file) => pattern.test(file)),
      String(pattern),
    ).toBe(true);
});

it.each(names)('%s runs from it, and tells version, help, manual and completion', async (name) => {
  const { version } = JSON.parse(await readFile(join(projectDir, 'package.json'), 'utf8')) as { version: string };
  expect((await runCommand([commandOf(name), '--version'])).stdout).toBe(`${version}\n`);
  expect((await runCommand([commandOf(name), '--help'])).stdout).toContain(`Usage: ${name} [options] [command]`);
  for (const [file, ...args] of [
    [`man/${name}.1`, 'man'],
    [`completions/${name}.bash`, 'completion', 'bash'],
    [`completions/${name}.fish`, 'completion', 'fish'],
    [`completions/_${name}`, 'completion', 'zsh'],
  ] as const)
    expect(await readFile(installed(file), 'utf8')).toBe((await runCommand([commandOf(name), ...args])).stdout);
});

it('what docker-register of the package registers, docker-discover of the package serves', async () => {
  const [port = 0, statsPort = 0] = await freePorts(2);
  const shared = { ETCD_HOST: etcd.host, PREFIX: '/package' };
  await runCommand([commandOf('docker-register'), 'put', 'web', backEnd.address, `port=${String(port)}`], {
    env: { PATH: process.env['PATH'], ...shared },
  });
  const daemon = start(commandOf('docker-discover'), [], {
    ...shared,
    HAPROXY: binary,
    RUN_DIR: join(dir, 'run'),
    STATE_DIR: join(dir, 'state'),
    BIND: '127.0.0.1',
    NETWORKS: '127.0.0.0/8',
    STATS_BIND: `127.0.0.1:${String(statsPort)}`,
    METRICS_BIND: 'none',
    STOP_TIMEOUT: '1s',
  });
  await waitFor('the back end to be reached', async (seen) => seen(await answerAt(port)) === 'shop');
  expect(await stop(daemon.child), daemon.output()).toBe(0);
});

it('the example of the library has types that hold, and follows etcd', async () => {
  const text = await readFile(join(projectDir, 'docs/library.md'), 'utf8');
  const [, example = ''] = /```ts\n(.*?)```/s.exec(text) ?? [];
  const consumer = join(dir, 'consumer');
  await mkdir(consumer);
  await writeFile(join(consumer, 'example.ts'), example);
  await writeFile(
    join(consumer, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        module: 'NodeNext',
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(projectDir, 'node_modules/@types')],
      },
    }),
  );
  await runCommand([join(projectDir, 'node_modules/.bin/tsc'), '-p', consumer], { timeoutMs: 120_000 });

  const { child, output } = start(process.execPath, [join(consumer, 'example.js')], { ETCD_HOST: etcd.host });
  await waitFor('its first words', (seen) => seen(output()).includes('shops: 0\n'));
  await etcd.client.put('/backends/shop/a').value('10.0.0.1:49153?port=80');
  await waitFor('the shop', (seen) => seen(output()).includes('shops: 1, such as 10.0.0.1:49153\n'));
  await etcd.client.put('/backends/shop/a').value('10.0.0.1:49153?port=80&state=drain');
  await waitFor('the drain', (seen) => seen(output()).endsWith('shops: 0\n'));
  expect(await stop(child), output()).toBe(0);
});

it('nothing but the library can be imported', async () => {
  const load = (name: string): ReturnType<typeof runCommand> =>
    runCommand(
      ['node', '-e', `import(${JSON.stringify(name)}).then((all) => console.log(Object.keys(all).sort().join()))`],
      {
        cwd: dir,
        check: false,
      },
    );
  expect(await load('docker-discover')).toEqual({ code: 0, stdout: 'decode,encode,watchCatalog\n', stderr: '' });
  const inside = await load('docker-discover/dist/adapters/etcd/client.js');
  expect(inside.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  expect(inside.code).toBe(1);
});
