import { connect } from 'node:net';
import { withDeadline } from '../deadline.js';
import type { ProxyPaths } from './paths.js';

const timeoutMs = 5_000;

/**
 * Sends one line to a socket of HAProxy (runtime API or master) and reads the reply to its end. Rejects when there is no answer within the deadline.
 */
export async function ask(path: string, line: string, signal: AbortSignal, deadlineMs = timeoutMs): Promise<string> {
  return withDeadline(
    deadlineMs,
    signal,
    (both) =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        const socket = connect({ path, signal: both });
        // Half-closed, or the master would wait for the next command instead of ending its reply.
        socket.on('connect', () => socket.end(`${line}\n`));
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('error', (error) => {
          reject(
            new Error(`HAProxy at ${path} did not answer "${line.slice(0, 60)}": ${error.message}`, { cause: error }),
          );
        });
        socket.on('end', () => {
          resolve(Buffer.concat(chunks).toString());
        });
      }),
  );
}

/**
 * Asks the worker over its own socket, or, where somebody removed that, over the master's, which hands on what follows `@1`
 * (management guide, 9.4).
 */
export async function askWorker(
  { runtimeSocket, masterSocket }: Pick<ProxyPaths, 'runtimeSocket' | 'masterSocket'>,
  line: string,
  { signal, deadlineMs }: { readonly signal: AbortSignal; readonly deadlineMs?: number },
): Promise<string> {
  try {
    return await ask(runtimeSocket, line, signal, deadlineMs);
  } catch (error) {
    if (!isSocketGone(error)) throw error;
    return ask(masterSocket, `@1;${line}`, signal, deadlineMs);
  }
}

/** Whether `ask` failed because there is no such socket. */
function isSocketGone(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
