import { overlap, type Failure } from './facts.js';
import { couldServe, excuses, poolAt, type Excuse } from './oracle.js';
import { clockOf, type PlannedFault } from './plan.js';
import type { Stage } from './stage.js';
import type { Verdict } from './verdict.js';

/** What a run has come to, in lines. */
export function reportOf(stage: Stage, plan: readonly PlannedFault[], verdict: Verdict): string[] {
  const { loads } = stage;
  const { lives, sightings } = stage.facts();
  const answered = loads.flatMap(({ answers }) => answers.flatMap(({ by }) => Object.values(by)));
  const slow = loads.flatMap((load) => load.slow);
  const worstMs = Math.max(0, ...slow.map(({ tookMs }) => tookMs));
  const ended = (how: string): string => String(lives.filter((life) => life.how === how).length);
  const excused = (Object.keys(excuses) as Excuse[]).map((excuse) => {
    const count = verdict.judged.filter((one) => one.excuse === excuse).length;
    return `  ${String(count).padStart(5)}  excused: ${excuses[excuse]}`;
  });
  return [
    `${String(plan.length)} faults of ${String(new Set(plan.map(({ kind }) => kind)).size)} kinds`,
    `${String(lives.length)} containers, of which ${ended('stopped')} were stopped and ${ended('killed')} killed`,
    `${String(answered.reduce((a, b) => a + b, 0) + verdict.judged.length)} requests, of which failed:`,
    ...excused,
    `  ${String(verdict.violations.length).padStart(5)}  not excused`,
    `${String(slow.length)} answered later than after a second, the slowest after ${(worstMs / 1_000).toFixed(1)} s`,
    `${String(Object.values(sightings).reduce((sum, { length }) => sum + length, 0))} changes of the pools seen`,
    `pools after the last fault: ${verdict.pools ?? 'those of the living containers'}`,
    `processes: ${verdict.processes ?? 'those that belong'}`,
    ...verdict.growth.map(({ what, before, after, grown }) => {
      const mib = `${before.mib.toFixed(0)} to ${after.mib.toFixed(0)} MiB`;
      const files = `${String(before.files)} to ${String(after.files)} files`;
      return `  ${what}: ${mib}, ${files}${grown ? '  <-- more than may be' : ''}`;
    }),
  ];
}

/** Of each burst of violations, what happened in this time before it. */
const beforeMs = 15_000;
/** Violations with less time between them are one burst. */
const apartMs = 2_000;

/** The violations, in bursts, each with what went on at that time and who could have answered. */
export function violationLines(stage: Stage, { violations, misrouted }: Verdict): string[] {
  const { timeline } = stage;
  const at = (ms: number): string => {
    const sinceMs = ms - timeline.startedAtMs();
    return `${clockOf(sinceMs)}.${String(Math.floor(sinceMs % 1_000)).padStart(3, '0')}`;
  };
  const around = (fromMs: number, toMs: number): string[] =>
    timeline
      .events()
      .filter((event) => overlap({ fromMs: event.atMs, toMs: event.atMs }, { fromMs: fromMs - beforeMs, toMs }))
      .map(({ atMs, text }) => `      ${at(atMs)}  ${text}`);
  return [
    ...burstsOf(violations).flatMap((burst) => {
      const [first] = burst;
      const lastMs = Math.max(...burst.map(({ fromMs }) => fromMs));
      return [
        `  violations from ${at(first.fromMs)} to ${at(lastMs)}:`,
        ...namedOf(burst).map(
          ([name, all]) => `    ${String(all.length)} times ${name}, after up to ${String(longestMs(all))} ms`,
        ),
        `    the first: pool then [${poolOf(stage, first)}], could have answered [${ableOf(stage, first)}]`,
        ...around(first.fromMs, lastMs),
      ];
    }),
    ...misrouted.flatMap(({ client, service, by, count, atMs }) => [
      `  until ${at(atMs)}: ${service} from ${client} was answered by ${by}, ${String(count)} times`,
      ...around(atMs, atMs),
    ]),
  ];
}

function longestMs(failures: readonly Failure[]): number {
  return Math.max(...failures.map(({ fromMs, toMs }) => toMs - fromMs));
}

function poolOf(stage: Stage, { client, service, fromMs }: Failure): string {
  const { lives, sightings } = stage.facts();
  const ids = poolAt(sightings[client], fromMs);
  return lives
    .flatMap((life) => (life.service === service && ids.has(life.id) ? [`${life.id} ${life.host}`] : []))
    .join(', ');
}

function ableOf(stage: Stage, failure: Failure): string {
  const facts = stage.facts();
  const able = facts.lives.filter((life) => life.service === failure.service && couldServe(life, failure, facts));
  return able.map(({ id, host }) => `${id} ${host}`).join(', ');
}

type Burst = [Failure, ...Failure[]];

function burstsOf(failures: readonly Failure[]): Burst[] {
  const bursts: Burst[] = [];
  for (const failure of [...failures].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = bursts.at(-1);
    if (last !== undefined && failure.fromMs - (last.at(-1) ?? failure).fromMs < apartMs) last.push(failure);
    else bursts.push([failure]);
  }
  return bursts;
}

function namedOf(failures: readonly Failure[]): [string, Failure[]][] {
  const groups = new Map<string, Failure[]>();
  for (const failure of failures) {
    const name = `${failure.service} from ${failure.client}: ${failure.error}`;
    groups.set(name, [...(groups.get(name) ?? []), failure]);
  }
  return [...groups];
}
