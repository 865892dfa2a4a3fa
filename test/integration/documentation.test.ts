import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quote, runCommand } from '../lab/command.js';
import { runDaemon } from './support/daemon.js';

type Name = 'docker-register' | 'docker-discover';
type Shell = 'bash' | 'zsh' | 'fish';
const names = ['docker-register', 'docker-discover'] as const;
const shells = ['bash', 'zsh', 'fish'] as const;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'documentation-'));
  for (const name of names)
    for (const shell of shells) {
      const { code, output } = await runDaemon(name, ['completion', shell]);
      expect(code, output).toBe(0);
      await writeFile(scriptOf(name, shell), output);
    }
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function scriptOf(name: Name, shell: Shell): string {
  return join(dir, `${name}.${shell}`);
}

/** What a shell offers at the end of a line. That of zsh works only where keys are pressed. */
const offers: Readonly<Record<Exclude<Shell, 'zsh'>, (name: Name, line: string) => Promise<string[]>>> = {
  async bash(name, line) {
    // As readline splits it: `=` and `:` are words of their own.
    const words = line.split(/(?<=[=:])|(?=[=:])| +/);
    const script = [
      `source ${quote(scriptOf(name, 'bash'))}`,
      // Outside of readline, it can't be told what to complete by itself.
      `compopt() { echo "$*"; }`,
      `COMP_WORDS=(${words.map((word) => (word === '' ? "''" : quote(word))).join(' ')}) COMP_CWORD=${String(words.length - 1)}`,
      '$(complete -p ' + name + ` | sed 's/.*-F \\([^ ]*\\).*/\\1/')`,
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n');
    const { stdout } = await runCommand(['bash', '--norc', '-uc', script]);
    return stdout.split('\n').filter((word) => word !== '');
  },

  async fish(name, line) {
    const script = `source ${quote(scriptOf(name, 'fish'))}; complete -C ${quote(line)}`;
    const { stdout } = await runCommand(['fish', '--no-config', '-c', script], {
      env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir },
    });
    return stdout.split('\n').flatMap((row) => row.split('\t')[0] ?? []);
  },
};

it.each(shells)('the completion for %s is a script that it takes', async (shell) => {
  for (const name of names) await runCommand([shell, '-n', scriptOf(name, shell)]);
});

describe.each(['bash', 'fish'] as const)('completion in %s', (shell) => {
  it.each<[Name, string, readonly string[], readonly string[]]>([
    ['docker-register', '', ['ls', 'put', 'drain', 'undrain', 'explain', 'completion'], ['render', '--prefix', 'bash']],
    ['docker-discover', '', ['ls', 'render', 'wait', 'explain', 'completion'], ['put', '--prefix', 'bash']],
    ['docker-discover', 'ex', ['explain'], ['ls']],
    // What stands behind an option is no command.
    ['docker-discover', '--prefix /ls re', ['render'], ['ls']],
    ['docker-discover', '--etcd-host 10.0.0.1:2379 re', ['render'], ['ls']],
    ['docker-register', '--log-level ', ['trace', 'debug', 'info', 'warn', 'error'], ['ls']],
    ['docker-register', '--log-level w', ['warn'], ['trace']],
    ['docker-register', '--withdraw-on-exit ', ['yes', 'no'], ['put']],
    ['docker-discover', 'ls --log-format ', ['auto', 'json', 'text'], ['ls']],
    ['docker-discover', '--prefix ', [], ['ls', 'render']],
    ['docker-discover', 'wait --u', ['--up'], ['--json']],
    ['docker-discover', 'ls --', ['--json', '--watch', '--bind', '--certs'], ['--up', '--check', 'ls']],
    ['docker-register', 'put --ch', ['--check', '--change-rate'], ['--json']],
    ['docker-register', 'completion ', ['bash', 'zsh', 'fish'], ['ls']],
  ])('%s %s', async (name, line, offered, others) => {
    const words = await offers[shell](name, `${name} ${line}`);
    expect(words).toEqual(expect.arrayContaining([...offered]));
    for (const other of others) expect(words).not.toContain(other);
  });
});

it('a value behind = is completed in bash too', async () => {
  expect(await offers.bash('docker-discover', 'docker-discover --log-level=')).toContain('debug');
  expect(await offers.bash('docker-discover', 'docker-discover --log-level=d')).toEqual(['debug']);
  expect(await offers.bash('docker-discover', 'docker-discover --log-level=debug ren')).toEqual(['render']);
});

it('where a path belongs, bash looks for files or directories', async () => {
  expect(await offers.bash('docker-discover', 'docker-discover --template ')).toEqual(['-o default']);
  expect(await offers.bash('docker-discover', 'docker-discover --certs ')).toEqual(['-o dirnames']);
});

it('another shell is refused', async () => {
  const { code, output } = await runDaemon('docker-discover', ['completion', 'tcsh']);
  expect(output).toMatch(/'tcsh' is invalid for argument 'shell'\. Allowed choices are bash, zsh, fish\./);
  expect(code).toBe(2);
});

describe.each(names)('the manual page of %s', (name) => {
  let page: string;
  beforeAll(async () => {
    page = (await runDaemon(name, ['man'])).output;
  });

  it('is without a warning to groff', async () => {
    const { stderr } = await runCommand(['groff', '-man', '-Tutf8', '-ww'], { input: page });
    expect(stderr).toBe('');
  });

  it('has every option and command that help has, with variables, defaults and exit codes', async () => {
    const { stdout } = await runCommand(['groff', '-man', '-Tascii', '-P-cbou', '-rLL=400n'], { input: page });
    const { output: help } = await runDaemon(name, ['--help']);
    const listed = help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+|[a-z]+\b)/gm);
    const words = [...listed].map(([, word = '']) => word);
    expect(words.length).toBeGreaterThan(20);
    for (const word of words) expect(stdout).toMatch(new RegExp(`^ {3,7}(-\\w, )?${word}\\b`, 'm'));
    for (const [, variable = ''] of help.replace(/\s+/g, ' ').matchAll(/env: ([A-Z_]+)\)/g))
      expect(stdout).toMatch(new RegExp(`Environment: ${variable}\\.`));
    expect(stdout).toMatch(/Default: \/backends\.\s+Environment: PREFIX\./);
    expect(stdout).toMatch(
      /^EXIT STATUS\n\s+0\s+fine\.\s+1\s+failure at run time\.\s+2\s+wrong usage or configuration\./m,
    );
  });
});
