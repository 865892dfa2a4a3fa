import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.js';
import { emptyState, formatLastKnownGood, parseLastKnownGood, type LastKnownGood } from '../core/last-known-good.js';
import type { Logger } from '../ports/log.js';
import type { StateStore } from '../ports/state-store.js';
import { retry } from './retry.js';

/**
 * A burst of changes is written once. Who is killed within this time starts with the state of just before. To put together a large one takes
 * its time, in which no change goes on: 10 ms for 10,000 endpoints. So it rests for longer.
 */
const restMs = { least: 1_000, most: 10_000, perMs: 500 } as const;

export interface StateSaver {
  /**
   * What HAProxy has taken, of what etcd said.
   *
   * @param state is asked for it when it is written: much to gather, which most rounds need not. What the watch told since then
   *   may be in it, be it not in HAProxy yet.
   */
  note(state: () => LastKnownGood): void;
  /** Writes what was noted, now and then, and once more when `signal` fires. */
  run(signal: AbortSignal): Promise<void>;
}

export function createStateSaver(store: StateStore, log: Logger): StateSaver {
  let noted: (() => LastKnownGood) | null = null;
  let saved = '';
  let rest: number = restMs.least;

  const save = async (): Promise<void> => {
    const state = noted;
    if (state === null) return;
    const startedAt = performance.now();
    const text = formatLastKnownGood(state());
    const tookMs = performance.now() - startedAt;
    rest = Math.min(restMs.most, Math.max(restMs.least, restMs.perMs * tookMs));
    if (text !== saved) await store.save(text);
    saved = text;
    if (noted === state) noted = null;
  };

  return {
    note(state) {
      noted = state;
    },

    async run(signal) {
      try {
        // Traffic does not hang on it; only a restart while etcd is down would miss it.
        for (;;) {
          await sleep(rest, undefined, { signal });
          await retry(save, { what: 'saving the last known good state', log, signal });
        }
      } finally {
        await save().catch((error: unknown) => {
          log.error(
            { error: messageOf(error) },
            'the last known good state was not saved; a restart without etcd would serve an older one',
          );
        });
      }
    },
  };
}

/** What was saved when the daemon last ran; nothing where nothing was, or where it can't be used. */
export async function restoreState(store: StateStore, log: Logger): Promise<LastKnownGood> {
  const text = await store.load().catch((error: unknown) => {
    log.error({ error: messageOf(error) }, 'the last known good state can not be read; starting without it');
    return null;
  });
  const saved = text === null ? null : parseLastKnownGood(text);
  if (saved?.ok === true) {
    const { revision, entries } = saved.value;
    log.info({ revision, registrations: entries.length }, 'serving the last known good state until etcd answers');
    return saved.value;
  }
  if (saved !== null) log.warn({ reason: saved.reason }, 'the saved state can not be used; starting empty');
  return emptyState;
}
