import { spawn } from 'node:child_process';
import { SHELL, signalGroup } from './command.js';

export interface Lock {
  release(): Promise<void>;
}

/**
 * A lock that the whole machine sees. It is held by a child that ends with its stdin, so a holder that was killed holds nothing.
 */
export async function takeLock(name: string, log: (line: string) => void, signal?: AbortSignal): Promise<Lock> {
  signal?.throwIfAborted();
  const file = `/var/lock/docker-discover-${name}`;
  const held = `echo ${String(process.pid)} >"$0"; echo held; cat >/dev/null`;
  const child = spawn('flock', [file, ...SHELL, held, file], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const waiting = setTimeout(() => {
    log(`another run holds the lock ${file}; waiting for its end`);
  }, 1_000);
  const giveUp = (): void => {
    signalGroup(child.pid, 'SIGTERM');
  };
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.stdout.once('data', () => {
        resolve();
      });
      void ended.then((code) => {
        reject(new Error(`no lock on ${file}: flock ended with exit code ${String(code)}`));
      });
    });
  } finally {
    clearTimeout(waiting);
    signal?.removeEventListener('abort', giveUp);
  }
  return {
    release: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
