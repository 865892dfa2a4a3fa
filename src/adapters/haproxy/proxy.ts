import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.js';
import { commandLines, stateQuestions } from '../../core/haproxy/commands.js';
import { parseConfiguration } from '../../core/haproxy/configuration-reader.js';
import {
  carriedState,
  parseReload,
  parseServersState,
  parseShowStat,
  parseStepsReply,
  parseWorkerPid,
  type ServerState,
} from '../../core/haproxy/replies.js';
import type { Logger } from '../../ports/log.js';
import { StepRejectedError, type Proxy } from '../../ports/proxy.js';
import { checkConfiguration, failureOf } from './binary.js';
import { createConfigFile } from './config-file.js';
import { killLeftovers, retireLeftovers } from './leftovers.js';
import type { ProxyPaths } from './paths.js';
import { takenOf } from './port-probe.js';
import { createExitTeller, startMaster, type Master } from './process.js';
import { ask, askWorker } from './socket.js';

const startTimeoutMs = 15_000;
const reloadTimeoutMs = 30_000;
/** What answers at all answers a short question in milliseconds; a master that reloads, when it has. */
const answerTimeoutMs = 3_000;

export interface ProxyOptions {
  readonly binary: string;
  readonly paths: ProxyPaths;
  readonly stopTimeoutMs: number;
  readonly log: Logger;
  /** HAProxy is no longer there. */
  readonly onExit: () => void;
}

/**
 * HAProxy as our child. Invariants: the file at `paths.config` passed `haproxy -c` and was taken by the running worker; a
 * candidate that fails leaves both as they were.
 */
export function createProxy({ binary, paths, stopTimeoutMs, log, onExit }: ProxyOptions): Proxy {
  const file = createConfigFile(paths);
  const tellExit = createExitTeller(log);
  let master: Master | null = null;
  /** The master has finished its start, and listens to signals. */
  let up = false;
  /** Fires when the master is parted with, and ends what waits for its answer. */
  let parted = new AbortController();
  /** Those that did not answer; they may still have connections. */
  const replaced: Master[] = [];
  /** While it goes on, no HAProxy may start: it would be taken for a leftover too. */
  let retiring = Promise.resolve();
  let loading = Promise.resolve();
  let stopping = false;
  let loads = 0;

  /** The worker serves before its master is ready, and a signal to such a master is lost: ask both. */
  const isUp = async (signal: AbortSignal): Promise<boolean> => {
    try {
      await ask(paths.runtimeSocket, 'show info', signal);
      return parseWorkerPid(await ask(paths.masterSocket, 'show proc', signal)) !== null;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  };

  const retire = (): Promise<void> => {
    retiring = retireLeftovers(paths, log).catch((error: unknown) => {
      log.error({ error: messageOf(error) }, 'it is not known whether a HAProxy is left over');
    });
    return retiring;
  };

  const start = async (signal: AbortSignal): Promise<void> => {
    await retiring;
    // Left behind by a daemon that was killed; HAProxy would refuse to bind the master socket over it.
    const stale = [paths.masterSocket, paths.runtimeSocket, paths.serverState];
    await Promise.all(stale.map((path) => rm(path, { force: true })));
    if (stopping) throw new Error('HAProxy is not started: it is being stopped');
    up = false;
    parted = new AbortController();
    const started = startMaster({
      binary,
      configPath: paths.config,
      masterSocket: paths.masterSocket,
      log,
      tellExit,
      // A worker ends with its master, unless it hangs; then its ports must be freed before the next one is started.
      onExit: () => void (stopping ? Promise.resolve() : retire()).then(onExit),
    });
    master = started;
    const deadline = performance.now() + startTimeoutMs;
    while (started.isRunning() && performance.now() < deadline) {
      if (await isUp(signal)) {
        up = true;
        return;
      }
      await sleep(20, undefined, { signal });
    }
    await started.kill();
    throw failureOf(started.words(), 'HAProxy did not start');
  };

  const reload = async (text: string, signal: AbortSignal): Promise<void> => {
    const both = AbortSignal.any([signal, parted.signal]);
    const state = await askWorker(paths, 'show servers state', { signal: both });
    await writeFile(paths.serverState, carriedState(state, parseConfiguration(text).servers), { mode: 0o600 });
    const { success, log: words } = parseReload(await ask(paths.masterSocket, 'reload', both, reloadTimeoutMs));
    if (!success) throw failureOf(words, 'the new worker did not start');
  };

  const check = async (text: string, signal: AbortSignal): Promise<void> => {
    await file.offer(text);
    await checkConfiguration(binary, paths.candidate, signal);
  };

  const load = async (text: string, signal: AbortSignal): Promise<void> => {
    if (stopping) throw new Error('no configuration is loaded: HAProxy is being stopped');
    await check(text, signal);
    try {
      await file.take(text);
      await (master?.isRunning() === true ? reload(text, signal) : start(signal));
    } catch (error) {
      await file.giveBack();
      throw error;
    }
    file.loaded(text);
  };

  return {
    isRunning: () => master?.isRunning() === true,

    async serversState(listeners, signal) {
      const states: ServerState[] = [];
      for (const { line, count } of stateQuestions(listeners))
        states.push(...parseServersState(await askWorker(paths, line, { signal }), count));
      return states;
    },
    serverStatus: async (signal) => parseShowStat(await askWorker(paths, 'show stat -1 4 -1', { signal })),
    keep: (text) => file.keep(text),
    workerPid: async (signal) => parseWorkerPid(await ask(paths.masterSocket, 'show proc', signal)),
    async answers(signal) {
      // One that starts has a deadline of its own, and so has a reload, during which the master is silent.
      if (!up) return;
      await askWorker(paths, 'show info', { signal, deadlineMs: answerTimeoutMs });
      if (loads === 0) await ask(paths.masterSocket, 'show proc', signal, answerTimeoutMs);
    },

    async apply(steps, signal) {
      let waiting = 0;
      for (const line of commandLines(steps)) {
        const { busy, rejected } = parseStepsReply(await askWorker(paths, line, { signal }));
        if (rejected !== null) throw new StepRejectedError(rejected);
        waiting += busy;
      }
      return waiting;
    },

    check,

    async load(text, signal) {
      loads += 1;
      const result = load(text, signal).finally(() => {
        loads -= 1;
      });
      loading = result.catch(() => undefined);
      await result;
    },

    async takenOf(addresses) {
      // What is left over would be taken for another process.
      await retiring;
      return takenOf(addresses);
    },

    async replace() {
      if (master === null) return;
      master.letGo();
      replaced.push(master);
      master = null;
      parted.abort(new Error('HAProxy did not answer, and is replaced'));
      await retire();
      onExit();
    },

    async stop() {
      stopping = true;
      await loading.then(() => file.end());
      // One that reloads loses a signal; it answers when it has.
      const { signal } = new AbortController();
      if (up) await ask(paths.masterSocket, 'show proc', signal, answerTimeoutMs).catch(() => undefined);
      const stopMaster = up ? master?.stop(stopTimeoutMs) : master?.kill();
      await Promise.all([stopMaster, ...replaced.map((one) => one.stop(stopTimeoutMs))]);
      await killLeftovers(paths);
    },
  };
}
