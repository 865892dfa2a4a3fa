import type { Lab } from '../lab/lab.js';
import { keepLogs } from './logs.js';
import type { RunArguments } from './arguments.js';
import { startChurn } from './churn.js';
import { growthOf, lookAtProcesses } from './leaks.js';
import { backWithinMs } from './oracle.js';
import { perform } from './perform.js';
import { lineOf, planOf } from './plan.js';
import { play } from './play.js';
import { poolsSettle } from './pools.js';
import { reportOf, violationLines } from './report.js';
import { setStage } from './stage.js';
import { openTimeline } from './timeline.js';
import { verdictOf } from './verdict.js';

/** Of the time asked for, what is left for the pools to settle. */
const settleMs = 15_000;

// The defaults are the run that is part of `npm test`.
process.exit(await perform({ name: 'chaos', defaults: { minutes: 2, seed: 1 }, run }));

async function run(lab: Lab, { minutes, seed, kinds }: RunArguments): Promise<number> {
  const plan = planOf({ seed, endMs: minutes * 60_000 - settleMs, kinds });
  for (const fault of plan) console.log(`  ${lineOf(fault)}`);
  const timeline = openTimeline();
  const stage = await setStage(lab, timeline);
  const before = await lookAtProcesses(stage, 10_000);
  timeline.start();
  timeline.say('all is served; the run begins');
  const churn = startChurn(stage, seed);
  await Promise.race([play(stage, plan), churn.broken]);
  timeline.say('the last fault has ended');
  await churn.end();
  const endedAtMs = Date.now();
  const pools = await poolsSettle(stage, endedAtMs + backWithinMs - Date.now());
  timeline.say(pools ?? 'every pool has the living containers and nothing else');
  await Promise.all(stage.loads.map((load) => load.end()));
  const [after, processes] = await lookAtProcesses(stage, 10_000).then(
    (looks) => [looks, null] as const,
    (error: unknown) => [[], error instanceof Error ? error.message : String(error)] as const,
  );
  const verdict = verdictOf({
    facts: stage.facts(),
    loads: stage.loads,
    pools,
    processes,
    growth: growthOf(before, after),
  });
  const lines = [`chaos: seed ${String(seed)}, ${String(minutes)} minutes`, ...reportOf(stage, plan, verdict)];
  if (!verdict.ok) lines.push(...violationLines(stage, verdict));
  console.log(`\n${lines.join('\n')}`);
  if (verdict.ok) return 0;
  console.error(
    `\nchaos: failed; again with --seed ${String(seed)} --minutes ${String(minutes)}; see ${await keepLogs(lab, lines)}`,
  );
  return 1;
}
