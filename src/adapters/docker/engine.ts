import { Readable } from 'node:stream';
import type { ContainerSnapshot } from '../../core/container.js';
import { defaultRegistrationLimits, type RegistrationLimits } from '../../core/registration-limits.js';
import { messageOf } from '../../core/errors.js';
import type { ContainerEngine, SilentContainer } from '../../ports/container-engine.js';
import { withDeadline } from '../deadline.js';
import { createTurns } from '../turns.js';
import { connectionTo } from './connection.js';
import { containerEventOf, watchedActions } from './events.js';
import { isMissing, reasonOf } from './failure.js';
import { formatDockerHost, type DockerHost } from './host.js';
import { snapshotOf } from './map-inspect.js';

const callTimeoutMs = 10_000;
/** For a container about which the engine was silent before: it is not to hold up the others again. */
const silentTimeoutMs = 3_000;
/** Inspects under way at once: enough to hide the round trip, few enough to leave the engine to others. */
const concurrency = 8;

/** @param limits what of a container is kept */
export function createContainerEngine(
  host: DockerHost,
  limits: RegistrationLimits = defaultRegistrationLimits,
): ContainerEngine {
  const docker = connectionTo(host);
  const failure = (what: string, error: unknown): Error =>
    new Error(`Docker at ${formatDockerHost(host)} did not ${what}: ${reasonOf(error, host)}`);

  const inTurn = createTurns(concurrency);
  /** Ids of containers about which the engine was silent. */
  const silent = new Set<string>();

  const call = async <T>(
    what: string,
    signal: AbortSignal,
    operation: (abortSignal: AbortSignal) => Promise<T>,
    timeoutMs = callTimeoutMs,
  ): Promise<T> => {
    try {
      return await withDeadline(timeoutMs, signal, operation);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(what, error);
    }
  };

  const inspectNow: ContainerEngine['inspect'] = async (id, signal) => {
    const ask = async (abortSignal: AbortSignal): Promise<ContainerSnapshot | null> => {
      try {
        return snapshotOf(await docker.getContainer(id).inspect({ abortSignal }), limits);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    };
    const timeoutMs = silent.has(id) ? silentTimeoutMs : callTimeoutMs;
    const askedAt = performance.now();
    try {
      const container = await call('inspect a container', signal, ask, timeoutMs);
      silent.delete(id);
      return container;
    } catch (error) {
      if (performance.now() - askedAt >= timeoutMs) silent.add(id);
      throw error;
    }
  };

  // The time to answer begins with the turn: a crowd of containers that die together is no slow engine.
  const inspect: ContainerEngine['inspect'] = (id, signal) => inTurn(() => inspectNow(id, signal));

  return {
    inspect,

    async list(signal) {
      const containers = await call('list the containers', signal, (abortSignal) =>
        docker.listContainers({ abortSignal }),
      );
      const ids = new Set(containers.map(({ Id }) => Id));
      for (const id of silent) if (!ids.has(id)) silent.delete(id);
      const snapshots: ContainerSnapshot[] = [];
      const left: SilentContainer[] = [];
      const queue = [...ids];
      const worker = async (): Promise<void> => {
        for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
          try {
            const snapshot = await inspect(id, signal);
            if (snapshot !== null) snapshots.push(snapshot);
          } catch (error) {
            signal.throwIfAborted();
            left.push({ id, reason: messageOf(error) });
            if (snapshots.length > 0 || left.length < concurrency) continue;
            // It looks at none of them: it is the engine.
            queue.length = 0;
            throw error;
          }
        }
      };
      await Promise.all(Array.from({ length: concurrency }, worker));
      return { containers: snapshots, silent: left };
    },

    async follow({ onOpen, onEvent }, signal) {
      const filters = { type: ['container' as const], event: watchedActions };
      const stream = await call('open the event stream', signal, (abortSignal) =>
        docker.getEvents({ filters, abortSignal }),
      );
      if (!(stream instanceof Readable)) throw failure('open the event stream', new Error('the answer is no stream'));
      const close = (): void => {
        stream.destroy();
      };
      signal.addEventListener('abort', close, { once: true });
      if (signal.aborted) close();
      onOpen();
      try {
        for await (const line of linesOf(stream)) {
          const event = containerEventOf(line);
          if (event !== null) onEvent(event);
        }
      } catch (error) {
        if (!signal.aborted) throw failure('keep the event stream', error);
      } finally {
        signal.removeEventListener('abort', close);
        close();
      }
      if (!signal.aborted) throw failure('keep the event stream', new Error('it was closed'));
    },
  };
}

/** Unlike readline's, this iteration fails when the stream does. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
}
