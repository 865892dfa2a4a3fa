import { makeDirectory } from '../directories.js';
import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { messageOf } from '../../core/errors.js';
import { forbiddenTo } from '../files.js';

/** What the daemon tells of itself to its own subcommands (`ls`, `healthcheck`), over a unix socket. */
export interface ControlHandlers {
  /** Whether it is ready, and in a few words how it is. */
  readonly readiness: () => { readonly isReady: boolean; readonly text: string };
  /** Any JSON value. */
  readonly status: (signal: AbortSignal) => Promise<unknown>;
}

/** Serves until `signal` fires: `GET /readyz` answers 200 or 503, `GET /status` 200, with JSON. */
export async function serveControl(path: string, handlers: ControlHandlers, signal: AbortSignal): Promise<void> {
  try {
    await makeDirectory(dirname(path));
    // Left behind by a daemon that was killed.
    await rm(path, { force: true });
  } catch (error) {
    throw notMade(path, error);
  }
  const answer = async (url: string | undefined): Promise<{ status: number; body: unknown }> => {
    switch (url) {
      case '/readyz':
        return readyzOf(handlers.readiness());
      case '/status':
        return { status: 200, body: await handlers.status(signal) };
      default:
        return { status: 404, body: { error: 'unknown path' } };
    }
  };
  const server = createServer((request, response) => {
    answer(request.url)
      .catch((error: unknown) => ({ status: 500, body: { error: messageOf(error) } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
        response.end(`${JSON.stringify(body)}\n`);
      })
      // The asker is gone; nobody is left to tell.
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(notMade(path, error));
    });
    const close = (): void => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    };
    server.listen(path, () => {
      // It may have fired while the directory was made.
      if (signal.aborted) {
        close();
        return;
      }
      signal.addEventListener('abort', close, { once: true });
      chmod(path, 0o600).catch((error: unknown) => {
        // Closing it removes it.
        if (!signal.aborted) reject(notMade(path, error));
      });
    });
  });
}

function readyzOf(readiness: ReturnType<ControlHandlers['readiness']>): { status: number; body: unknown } {
  return { status: readiness.isReady ? 200 : 503, body: readiness };
}

function notMade(path: string, error: unknown): Error {
  return new Error(`the socket ${path} can't be made: ${forbiddenTo('write', error) ?? messageOf(error)}`, {
    cause: error,
  });
}
