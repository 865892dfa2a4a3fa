import { startService, type ServiceSpec } from '../../bench/service.js';
import type { EngineHost } from '../lab/lab.js';
import type { Life } from './facts.js';
import type { BackendName } from './kinds.js';

/** The containers of one back-end host, and a note of each that ever was. */
export interface Fleet {
  readonly name: BackendName;
  readonly host: EngineHost;
  readonly lives: readonly Life[];
  /** Those that live, and were not told to end. */
  living(service?: string): Life[];
  start(service: ServiceSpec): Promise<void>;
  /** `docker stop`: it answers on for a moment, and finishes what it has in hand. */
  stop(life: Life): Promise<void>;
  kill(life: Life): Promise<void>;
  /** The engine ends all of them, when the order is carried out. */
  lost(order: () => Promise<void>): Promise<void>;
  /** One after the other: what needs the engine waits while another has it. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** The engine notes the end of a container so much later, or earlier, than its clients. */
const finishSlackMs = 1_000;

export function fleetOn(host: EngineHost): Fleet {
  const name = host.name as BackendName;
  const lives: Life[] = [];
  let turn: Promise<unknown> = Promise.resolve();

  const living = (service?: string): Life[] =>
    lives.filter((life) => life.how === 'lives' && (service === undefined || life.service === service));
  const ending = (life: Life, how: 'stopped' | 'killed'): void => {
    life.how = how;
    life.endingMs = Date.now();
    life.killed = how === 'killed' ? { fromMs: Date.now(), toMs: Infinity } : null;
  };

  let hostPort = 20_000;
  return {
    name,
    host,
    lives,
    living,
    start: async (service) => {
      const fromMs = Date.now();
      // An engine that was killed gives its ports out anew, and while nobody tells of it, client hosts take the new owner of one
      // for the old: a limit of the pair, which docs/reliability.md states. Here every container has a port of its own.
      const id = await startService(host, { ...service, hostPort: (hostPort += 1) });
      lives.push({ id, service: service.name, host: name, fromMs, how: 'lives', endingMs: Infinity, killed: null });
    },
    stop: async (life) => {
      ending(life, 'stopped');
      await host.docker('stop', life.id);
      await host.docker('rm', life.id);
    },
    kill: async (life) => {
      ending(life, 'killed');
      await host.docker('kill', life.id);
      life.killed = { fromMs: life.endingMs, toMs: Date.now() };
      await host.docker('rm', life.id);
    },
    lost: async (order) => {
      const lost = living();
      for (const life of lost) ending(life, 'killed');
      await order();
      for (const life of lost) {
        const at = Date.parse(await host.docker('inspect', '-f', '{{.State.FinishedAt}}', life.id));
        life.killed = { fromMs: at - finishSlackMs, toMs: at + finishSlackMs };
      }
      await host.docker('rm', '-f', ...lost.map(({ id }) => id));
    },
    alone: (work) => {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
