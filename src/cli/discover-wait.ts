import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { askStatus } from '../adapters/control/client.js';
import type { DiscoverStatus } from '../core/discover-status.js';
import { formatDuration } from '../core/duration.js';
import { messageOf } from '../core/errors.js';
import { isSeen, parsePool, unmetOf, type PoolWish } from '../core/pool-wish.js';
import { accept, reject, type Parsed } from '../core/result.js';
import { parseId } from '../core/service.js';
import type { DiscoverSettings } from './discover-settings.js';
import { controlSocketOf } from './discover-run.js';
import { by, durationOption } from './options.js';

const lookEveryMs = 100;

interface WaitSettings extends DiscoverSettings {
  readonly up?: number;
  readonly down?: string;
  readonly timeout: number;
}

/** `wait SERVICE`: for scripts that deploy. */
export function addWaitCommand(program: Command): void {
  program
    .command('wait')
    .description('wait until the pool of a service on this host is as wanted; exit code 1 where it is not in time')
    .argument('<service>', 'SERVICE, or SERVICE:PORT for its listener on that port', by(parsePool))
    .addOption(
      new Option('--up <number>', 'so many endpoints take traffic (1 where --down is not given)').argParser(
        by(parseUp),
      ),
    )
    .addOption(
      new Option('--down <id>', 'the registration, or the container, of this id takes no new connection').argParser(
        by(parseDown),
      ),
    )
    .addOption(
      durationOption({
        flags: '--timeout',
        env: 'WAIT_TIMEOUT',
        description: 'how long to wait',
        defaultMs: 60_000,
        leastMs: 0,
        mostMs: 24 * 3_600_000,
      }),
    )
    .action(async (pool: Pick<PoolWish, 'service' | 'port'>, _options, command: Command) => {
      const { up = null, down = null, timeout, runDir } = command.optsWithGlobals<WaitSettings>();
      const wish = { ...pool, up: up ?? (down === null ? 1 : null), down };
      await waitFor(wish, { socket: controlSocketOf(runDir), timeoutMs: timeout });
    });
}

async function waitFor(wish: PoolWish, { socket, timeoutMs }: { socket: string; timeoutMs: number }): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let wasSeen = false;
  for (;;) {
    const status = await askStatus(socket).then(
      (body) => body as DiscoverStatus,
      (error: unknown) => messageOf(error),
    );
    const unmet = typeof status === 'string' ? status : unmetOf(status, wish);
    wasSeen ||= typeof status !== 'string' && isSeen(status, wish);
    if (unmet === null) {
      // It may have gone before; or it is another id that was meant.
      if (wish.down !== null && !wasSeen)
        process.stderr.write(
          `docker-discover: ${wish.service} has had no endpoint ${wish.down} here since the wait began; docker-discover ls shows its ids\n`,
        );
      return;
    }
    if (performance.now() >= deadline)
      throw new Error(`${wish.service} is not as wanted after ${formatDuration(timeoutMs)}: ${unmet}`);
    await sleep(lookEveryMs);
  }
}

function parseUp(text: string): Parsed<number> {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  return number >= 0 ? accept(number) : reject('must be a number');
}

function parseDown(text: string): Parsed<string> {
  return parseId(/^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text);
}
