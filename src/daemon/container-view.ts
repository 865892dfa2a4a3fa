import { shortIdOf, type ContainerSnapshot } from '../core/container.js';
import type { ContainerEngine, ContainerEvent, ContainerListing } from '../ports/container-engine.js';
import type { Logger } from '../ports/log.js';
import { createLasting } from './lasting.js';

/** What this host runs, as far as it was looked at. */
export interface ContainerView {
  /** Takes note of what an event says must be looked at. */
  note(event: ContainerEvent): void;
  /** Everything must be looked at: an event may have been missed. */
  noteAll(): void;
  /**
   * Looks at what was noted. Rejects where the engine can't be asked; the view is then as it was.
   *
   * @returns when everything must be looked at again because the engine was silent about a container, in ms, or null
   */
  refresh(signal: AbortSignal): Promise<number | null>;
  snapshots(): Iterable<ContainerSnapshot>;
  find(id: string): ContainerSnapshot | undefined;
  /** Ids of those that may be otherwise than when this was last asked; null where any may be. */
  takeTouched(): ReadonlySet<string> | null;
  /** Ids of those that are there, and of which the engine has never told more. */
  unknown(): ReadonlySet<string>;
  /** Its stop was announced, and it has not died yet. */
  isStopping(id: string): boolean;
  /** By id: when something last happened to a container, as far as that has led to nothing yet; ms since 1970. */
  eventTimes(): ReadonlyMap<string, number>;
  /** These have led to what they lead to. */
  forgetTimes(times: ReadonlyMap<string, number>): void;
}

/** A container that got its stop signal and lives on has survived it; no `docker stop -t` waits this long. */
const longestStopMs = 3_600_000;

/** What nobody survives, while Docker tells of the death only when it has tidied up. */
const sigkill = 9;

/** Not at once: such a look may take seconds, in which nobody else is looked at. */
const silentAgainMs = 10_000;

export function createContainerView(engine: ContainerEngine, log: Logger): ContainerView {
  let containers = new Map<string, ContainerSnapshot>();
  /** By id: which run of the container was told to stop, and when. */
  const stopping = new Map<string, { readonly startedAt: string; readonly toldAt: number }>();
  const noted = new Set<string>();
  const times = new Map<string, number>();
  const lasting = createLasting(log);
  let unknown: ReadonlySet<string> = new Set();
  let all = true;
  let touched: Set<string> | null = null;

  const takeListing = ({ containers: listed, silent }: ContainerListing): void => {
    const before = containers;
    touched = null;
    containers = new Map(listed.map((container) => [container.id, container]));
    const untold = new Set<string>();
    for (const { id, reason } of silent) {
      const container = before.get(id);
      if (container === undefined) untold.add(id);
      else containers.set(id, container);
      const fields = { container: container?.name, id: shortIdOf(id), reason };
      lasting.tell(id, fields, 'Docker does not answer about a container; it is left as it was');
    }
    unknown = untold;
    const still = new Set(silent.map(({ id }) => id));
    for (const id of lasting.open())
      if (!still.has(id)) lasting.end(id, { id: shortIdOf(id) }, 'Docker answers about the container again');
  };

  return {
    note({ id, action, signal, atMs }) {
      if (action !== 'kill') {
        noted.add(id);
        if (atMs !== null) times.set(id, atMs);
        return;
      }
      // Nothing else to look at, and while Docker kills a container it does not answer questions about it.
      const container = containers.get(id);
      if (container === undefined) return;
      if (signal !== container.stopSignal && signal !== sigkill) return;
      touched?.add(id);
      if (atMs !== null) times.set(id, atMs);
      stopping.set(id, { startedAt: container.startedAt, toldAt: performance.now() });
      log.info({ container: container.name, id: shortIdOf(id), signal }, 'stop announced');
    },

    noteAll() {
      all = true;
    },

    async refresh(signal) {
      const whole = all;
      const ids = [...noted];
      all = false;
      noted.clear();
      try {
        if (whole) {
          takeListing(await engine.list(signal));
        } else {
          const looked = await Promise.all(ids.map(async (id) => [id, await engine.inspect(id, signal)] as const));
          for (const [id, container] of looked) {
            touched?.add(id);
            if (container?.status !== 'running' && container?.status !== 'paused') containers.delete(id);
            else containers.set(id, container);
          }
        }
      } catch (error) {
        // Where it was but one container, the listing gets past it.
        all = true;
        for (const id of ids) noted.add(id);
        throw error;
      }
      for (const [id, { startedAt, toldAt }] of stopping) {
        const container = containers.get(id);
        const survived = performance.now() - toldAt > longestStopMs;
        if (container !== undefined && container.startedAt === startedAt && !survived) continue;
        stopping.delete(id);
        touched?.add(id);
        if (survived)
          log.warn(
            { container: container?.name, id: shortIdOf(id) },
            'still runs long after its stop was announced; taken back',
          );
      }
      return lasting.open().length > 0 ? silentAgainMs : null;
    },

    snapshots: () => containers.values(),
    find: (id) => containers.get(id),
    takeTouched() {
      const taken = touched;
      touched = new Set();
      return taken;
    },
    unknown: () => unknown,
    isStopping: (id) => stopping.has(id),
    eventTimes: () => new Map(times),

    forgetTimes(used) {
      for (const [id, atMs] of used) {
        if (times.get(id) !== atMs) continue;
        times.delete(id);
        touched?.add(id);
      }
    },
  };
}
