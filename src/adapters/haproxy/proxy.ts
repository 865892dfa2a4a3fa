import { rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLines, stateQuestions } from '../../core/haproxy/commands.js';
import { parseConfiguration, type ServerLines } from '../../core/haproxy/configuration.js';
import {
  carriedState,
  parseReload,
  parseServersState,
  parseShowStat,
  parseStepsReply,
  parseWorkerPid,
  unboundPorts,
  type ServerState,
} from '../../core/haproxy/replies.js';
import type { Logger } from '../../ports/log.js';
import { PortsTakenError, StepRejectedError, type Proxy } from '../../ports/proxy.js';
import { writeWhole } from '../files.js';
import { checkConfiguration, refusalOf } from './binary.js';
import type { ProxyPaths } from './paths.js';
import { takenOf } from './port-probe.js';
import { startMaster, type Master } from './process.js';
import { ask } from './socket.js';

const startTimeoutMs = 15_000;
const reloadTimeoutMs = 30_000;

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
  let master: Master | null = null;
  /** The master has finished its start, and listens to signals. */
  let up = false;
  let lastGood: string | null = null;

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

  const start = async (signal: AbortSignal): Promise<void> => {
    // Left behind by a daemon that was killed; HAProxy would refuse to bind the master socket over it.
    await Promise.all([paths.masterSocket, paths.runtimeSocket].map((path) => rm(path, { force: true })));
    up = false;
    const started = startMaster({ binary, configPath: paths.config, masterSocket: paths.masterSocket, log, onExit });
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

  const reload = async (servers: ServerLines, signal: AbortSignal): Promise<void> => {
    const state = await ask(paths.runtimeSocket, 'show servers state', signal);
    await writeFile(paths.serverState, carriedState(state, servers), { mode: 0o600 });
    const { success, log: words } = parseReload(await ask(paths.masterSocket, 'reload', signal, reloadTimeoutMs));
    if (!success) throw failureOf(words, 'the new worker did not start');
  };

  return {
    isRunning: () => master?.isRunning() === true,

    async serversState(listeners, signal) {
      const states: ServerState[] = [];
      for (const { line, count } of stateQuestions(listeners))
        states.push(...parseServersState(await ask(paths.runtimeSocket, line, signal), count));
      return states;
    },
    serverStatus: async (signal) => parseShowStat(await ask(paths.runtimeSocket, 'show stat -1 4 -1', signal)),
    workerPid: async (signal) => parseWorkerPid(await ask(paths.masterSocket, 'show proc', signal)),

    async apply(steps, text, signal) {
      let waiting = 0;
      for (const line of commandLines(steps)) {
        const { busy, rejected } = parseStepsReply(await ask(paths.runtimeSocket, line, signal));
        if (rejected !== null) throw new StepRejectedError(rejected);
        waiting += busy;
      }
      if (text !== null && text !== lastGood) {
        await writeWhole(paths.config, text);
        lastGood = text;
      }
      return { busy: waiting };
    },

    async check(text, signal) {
      await writeWhole(paths.candidate, text);
      await checkConfiguration(binary, paths.candidate, signal);
    },

    async load(text, signal) {
      await writeWhole(paths.candidate, text);
      await checkConfiguration(binary, paths.candidate, signal);
      await rename(paths.candidate, paths.config);
      try {
        if (master?.isRunning() === true) {
          await reload(parseConfiguration(text).servers, signal);
        } else {
          await rm(paths.serverState, { force: true });
          await start(signal);
        }
      } catch (error) {
        if (lastGood !== null) await writeWhole(paths.config, lastGood);
        throw error;
      }
      lastGood = text;
    },

    takenOf,

    async stop() {
      await (up ? master?.stop(stopTimeoutMs) : master?.kill());
    },
  };
}

function failureOf(words: string, otherwise: string): Error {
  const ports = unboundPorts(words);
  if (ports.length > 0) return new PortsTakenError(ports);
  return refusalOf(words, otherwise);
}
