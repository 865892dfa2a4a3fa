import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectDir } from '../lab/cache.js';
import { runCommand } from '../lab/command.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'systemd-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** In tenths, as systemd rates them: 10 is one that may do everything. */
const mostExposed = 30;

describe.each(['docker-register', 'docker-discover'])('%s.service', (name) => {
  const unit = (): string => join(dir, `${name}.service`);
  let text: string;
  beforeAll(async () => {
    text = await readFile(join(projectDir, `deploy/systemd/${name}.service`), 'utf8');
    // The program itself is not installed here.
    await writeFile(unit(), text.replace(`ExecStart=${name}\n`, 'ExecStart=/bin/true\n'));
  });

  it('starts what the npm package installs', async () => {
    const { bin } = JSON.parse(await readFile(join(projectDir, 'package.json'), 'utf8')) as { bin: object };
    expect(text).toContain(`\nExecStart=${name}\n`);
    expect(Object.keys(bin)).toContain(name);
  });

  it('is one that systemd understands to the last word', async () => {
    const { stdout, stderr, code } = await runCommand(['systemd-analyze', 'verify', unit()], { check: false });
    expect({ code, words: stdout + stderr }).toEqual({ code: 0, words: '' });
  });

  it('has few rights', async () => {
    const rate = ['--no-pager', '--offline=true', `--threshold=${String(mostExposed)}`];
    const { code, stdout } = await runCommand(['systemd-analyze', 'security', ...rate, unit()], { check: false });
    expect({ code, rating: stdout.split('\n').at(-2) }).toMatchObject({ code: 0 });
  });
});
