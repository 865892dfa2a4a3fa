import { messageOf } from '../core/errors.js';
import type { DiscoverLimits } from '../core/limits.js';
import type { Logger } from '../ports/log.js';
import type { Registry } from '../ports/registry.js';
import type { KnownKeys } from './known-keys.js';
import { every, runTasks } from './lifecycle.js';
import { listKeys } from './listed-keys.js';
import { createListingTurn } from './listing-turn.js';
import { createPatientPoll } from './patient-poll.js';
import { createResumption } from './resumption.js';
import type { StaleKeys } from './stale-keys.js';

export interface CatalogSessionOptions {
  readonly registry: Registry;
  readonly known: KnownKeys;
  readonly missed: Pick<StaleKeys, 'run'>;
  readonly pollMs: number;
  readonly limits: DiscoverLimits;
  readonly log: Logger;
  readonly onEvents: Parameters<Registry['watch']>[1];
  readonly onChange: (reason: string) => void;
}

export interface CatalogSession {
  /** Follows etcd until something fails, or `signal` fires. */
  run(healthy: () => void, signal: AbortSignal): Promise<void>;
  /** etcd has answered, and its watch stands. */
  isLive(): boolean;
}

/** A minute or so: the last known good state is served meanwhile. */
const mostRests = 10;
/** Where there is room again for keys that were left out, they are looked for no more often than this: it takes a listing. */
const refillMs = 15_000;

/**
 * Lists, then watches from there; lists again whenever the poll differs, and after a failure of the watch where what it had told
 * can't be gone on from.
 */
export function createCatalogSession(options: CatalogSessionOptions): CatalogSession {
  const { registry, known, missed, pollMs, limits, log, onEvents, onChange } = options;
  const poll = createPatientPoll({ registry, known, log });
  const resumption = createResumption();
  const turn = createListingTurn({ registry, mostRests });
  let live = false;
  let listedAtMs = 0;

  const list = async (signal: AbortSignal): Promise<void> => {
    known.replace(await listKeys({ registry, limits, isKnown: (key) => known.has(key) }, signal));
    listedAtMs = performance.now();
    resumption.began('listed');
    onChange('listed');
  };

  const begin = async (signal: AbortSignal): Promise<void> => {
    // One that is behind, or has lost its data, has other keys than we know.
    if (!resumption.isAllowed(known.standing()) || (await registry.revision(signal)) < known.revision()) {
      await turn.wait(known.standing(), signal);
      return list(signal);
    }
    resumption.began('resumed');
    onChange('resumed');
  };

  /** Until there is room for keys that were left out, or `signal` fires. */
  const follow = async (signal: AbortSignal): Promise<void> => {
    const refill = new AbortController();
    await runTasks(
      [
        (both) => registry.watch(known.revision(), onEvents, both),
        (both) =>
          every(
            pollMs,
            async () => {
              await poll(both);
              if (!known.hasRoom() || performance.now() - listedAtMs < refillMs) return;
              // The watch goes on until then, and where nobody answers that too.
              await turn.wait(known.standing(), both).then(
                () => {
                  refill.abort();
                },
                (error: unknown) => {
                  both.throwIfAborted();
                  log.debug({ error: messageOf(error) }, 'keys that were left out are looked for later');
                },
              );
            },
            both,
          ),
      ],
      AbortSignal.any([signal, refill.signal]),
    );
  };

  return {
    isLive: () => live,

    async run(healthy, signal) {
      try {
        await begin(signal);
        live = true;
        healthy();
        await runTasks(
          [
            (both) => missed.run(both),
            async (both) => {
              for (;;) {
                await follow(both);
                if (both.aborted) return;
                await list(both);
              }
            },
          ],
          signal,
        );
      } catch (error) {
        resumption.ended(error);
        throw error;
      } finally {
        live = false;
      }
    },
  };
}
