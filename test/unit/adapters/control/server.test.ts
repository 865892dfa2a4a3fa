import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askReady, askStatus } from '../../../../src/adapters/control/client.js';
import { serveControl } from '../../../../src/adapters/control/server.js';
import { waitFor } from '../../../lab/wait-for.js';

let dir: string;
let path: string;
const handlers = {
  readiness: () => ({ isReady: false, text: 'not ready: so far' }),
  status: () => Promise.resolve({ is: 'well' }),
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'control-'));
  path = join(dir, 'run/control.sock');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('the control socket', () => {
  test('is for its user alone, and served until the signal fires', async () => {
    const controller = new AbortController();
    const serving = serveControl(path, handlers, controller.signal);
    await waitFor('an answer', async () => ((await stat(path)).mode & 0o777) === 0o600);
    expect(await askStatus(path)).toEqual({ is: 'well' });
    expect(await askReady(path)).toEqual({ isReady: false, text: 'not ready: so far' });
    controller.abort();
    await serving;
    await expect(stat(path)).rejects.toThrow(/ENOENT/);
  });

  // A daemon that is stopped as soon as it was started would otherwise never end.
  test.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20])(
    'ends also where the signal fires while it is made, after %d turns of the loop',
    async (turns) => {
      const controller = new AbortController();
      const serving = serveControl(path, handlers, controller.signal);
      for (let n = 0; n < turns; n += 1) await new Promise(setImmediate);
      controller.abort();
      await serving;
      await expect(stat(path)).rejects.toThrow(/ENOENT/);
    },
  );
});
