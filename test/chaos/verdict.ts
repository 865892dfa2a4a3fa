import type { Failure, Facts } from './facts.js';
import type { Growth } from './leaks.js';
import type { Load } from './loading.js';
import { excuseOf, type Excuse } from './oracle.js';

export interface Judged {
  readonly failure: Failure;
  /** Null: it is a violation. */
  readonly excuse: Excuse | null;
}

/** An answer by a container of another service, or by none that is known. */
export interface Misrouted {
  readonly client: string;
  readonly service: string;
  readonly by: string;
  readonly count: number;
  readonly atMs: number;
}

/** What the run has come to. */
export interface Verdict {
  readonly judged: readonly Judged[];
  readonly violations: readonly Failure[];
  readonly misrouted: readonly Misrouted[];
  /** Null where every pool came to equal the living containers in time. */
  readonly pools: string | null;
  /** Null where no process was left that does not belong. */
  readonly processes: string | null;
  readonly growth: readonly Growth[];
  readonly ok: boolean;
}

export interface Outcome extends Pick<Verdict, 'pools' | 'processes' | 'growth'> {
  readonly facts: Facts;
  readonly loads: readonly Pick<Load, 'client' | 'failures' | 'answers'>[];
}

export function verdictOf({ facts, loads, pools, processes, growth }: Outcome): Verdict {
  const judged = loads
    .flatMap(({ failures }) => failures)
    .map((failure) => ({ failure, excuse: excuseOf(failure, facts) }));
  const violations = judged.filter(({ excuse }) => excuse === null).map(({ failure }) => failure);
  const serviceOf = new Map(facts.lives.map(({ id, service }) => [id, service]));
  const misrouted = loads.flatMap(({ client, answers }) =>
    answers.flatMap(({ service, by, atMs }) =>
      Object.entries(by)
        .filter(([id]) => serviceOf.get(id) !== service)
        .map(([id, count]) => ({
          client,
          service,
          by: `${id} of ${serviceOf.get(id) ?? 'nothing known'}`,
          count,
          atMs,
        })),
    ),
  );
  const ok =
    violations.length === 0 &&
    misrouted.length === 0 &&
    pools === null &&
    processes === null &&
    growth.every(({ grown }) => !grown);
  return { judged, violations, misrouted, pools, processes, growth, ok };
}
