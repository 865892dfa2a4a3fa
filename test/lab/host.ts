import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CommandError, SHELL, quote, runCommand, signalGroup } from './command.js';
import type { CommandOptions, CommandResult } from './command.js';

/** A host of the lab: its own processes, network, mounts, /run and /var/lib/docker. */
export interface Host {
  readonly name: string;
  readonly ip: string;
  /** The process that holds the host's namespaces, as the machine numbers it. */
  readonly pid: number;
  /** The host's file system as the machine sees it: `${root}/run/docker.sock` can be connected to from outside. */
  readonly root: string;
  /** `bash -c command` inside the host. Rejects on a non-zero exit code unless `check: false`; ends after 60 s unless told otherwise. */
  run(command: string, options?: CommandOptions): Promise<CommandResult>;
  /** `docker ARGS` inside the host; resolves with its trimmed stdout. */
  docker(...args: string[]): Promise<string>;
  /** A long-running `bash -c command` inside the host. Not for one that gets SIGSTOP: nsenter, its parent, would stop too. */
  spawn(command: string): HostChild;
}

export interface HostChild {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the exit code when it has ended (128 and more: by a signal). */
  readonly ended: Promise<number>;
  /** Signals it and its children, SIGTERM unless told otherwise, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface HeldHost extends Host {
  /** Kills whatever still runs in the host and lets the namespaces go. */
  release(): Promise<void>;
}

export interface HostSpec {
  readonly name: string;
  readonly ip: string;
  /** Where the host's cgroups go: unique to this run. */
  readonly cgroup: string;
  readonly network: 'own' | 'machine';
  readonly dataRoot: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function holdHost(spec: HostSpec, signal?: AbortSignal): Promise<HeldHost> {
  signal?.throwIfAborted();
  const { name, ip, env } = spec;
  const script = fileURLToPath(new URL('holder.sh', import.meta.url));
  // Detached: a Ctrl-C at the terminal is the lab's to handle, in order.
  const holder = spawn('bash', ['--norc', script, name, spec.cgroup, spec.network, spec.dataRoot], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => holder.once('close', resolve));
  let stderr = '';
  holder.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A holder that ended early is reported by whoever needs the host, not by its closed stdin.
  holder.stdin.on('error', (error) => (stderr += error.message));

  const letGo = (): void => {
    holder.stdin.end();
  };
  signal?.addEventListener('abort', letGo, { once: true });

  const pid = await new Promise<number>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('close', (code) => {
      reject(new Error(`the namespaces of ${name} could not be made (exit code ${String(code)}): ${stderr.trim()}`));
    });
    holder.stdout.setEncoding('utf8').on('data', (text: string) => {
      const ready = /^ready (\d+)$/m.exec(text);
      if (ready) resolve(Number(ready[1]));
    });
  });
  const namespaces = `-t ${String(pid)} -m -u -n -p`.split(' ');
  const enter = (command: string, cwd = '/'): string[] => [...namespaces, `--wdns=${cwd}`, '--', ...SHELL, command];

  const run: Host['run'] = (command, { cwd, ...options } = {}) =>
    runCommand(['nsenter', ...enter(command, cwd)], { env, ...options }, `${name}$ ${command}`);

  return {
    name,
    ip,
    pid,
    root: `/proc/${String(pid)}/root`,
    run,
    docker: async (...args) => (await run(['docker', ...args].map(quote).join(' '))).stdout.trim(),
    spawn: (command) => spawnInside(enter(command), env),
    release: async () => {
      letGo();
      const code = await ended;
      // 137: the first process of a PID namespace, killed from outside. Then the host is just as gone.
      if (code !== 0 && code !== 137) {
        const result = { stdout: '', stderr, code: code ?? 0 };
        throw new CommandError(`holder of ${name}`, `exit code ${String(code)}`, result);
      }
    },
  };
}

function spawnInside(args: readonly string[], env: NodeJS.ProcessEnv): HostChild {
  const child = spawn('nsenter', args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 143));
    });
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) signalGroup(child.pid, signal);
      await ended;
    },
  };
}
