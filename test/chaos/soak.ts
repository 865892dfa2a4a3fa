import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent } from '../../bench/agent.js';
import type { LongLived } from '../../bench/long-lived.js';
import { projectDir } from '../lab/cache.js';
import type { Lab } from '../lab/lab.js';
import type { RunArguments } from './arguments.js';
import { startChurn } from './churn.js';
import { curvesOf } from './curves.js';
import { perform } from './perform.js';
import { violationLines } from './report.js';
import { sampleOf, seriesOf, type Sample } from './samples.js';
import { services, setStage } from './stage.js';
import { openTimeline } from './timeline.js';
import { mostPerHour, trendOf, type Trend } from './trend.js';
import { verdictOf } from './verdict.js';

const sampleEveryMs = 5_000;
const folder = join(projectDir, 'soak-results');

process.exit(await perform({ name: 'soak', defaults: { minutes: 30, seed: 1 }, run }));

/** Containers come and go, and nothing fails: what grows meanwhile is a leak. */
async function run(lab: Lab, { minutes, seed }: RunArguments): Promise<number> {
  const timeline = openTimeline();
  const stage = await setStage(lab, timeline, { collectsGarbage: true });
  // Connections that outlive reloads, two to each service: with them old workers do.
  const held = lab.clients.map((client) =>
    startAgent<LongLived>(client, 'long-lived.ts', client.ip, [1_000, 10_000, 2, ...services.map(({ port }) => port)]),
  );
  timeline.start();
  timeline.say('all is served; the run begins');
  const churn = startChurn(stage, seed);
  const samples: Sample[] = [];
  const endsAt = performance.now() + minutes * 60_000;
  const sampling = async (): Promise<void> => {
    for (let n = 1; performance.now() < endsAt; n += 1) {
      samples.push(await sampleOf(lab));
      await sleep(sampleEveryMs);
      if (n % 60 === 0) timeline.say(`${String(n)} samples`);
    }
  };
  await Promise.race([sampling(), churn.broken]);
  await churn.end();
  await Promise.all(stage.loads.map((load) => load.end()));
  await Promise.all(held.map((agent) => agent.end()));

  const trends = seriesOf(samples).map(trendOf);
  const { loads } = stage;
  const verdict = verdictOf({ facts: stage.facts(), loads, pools: null, processes: null, growth: [] });
  const ok = verdict.ok && !trends.some(({ rises }) => rises);
  const title = `${String(minutes)} minutes of change, ${String(stage.facts().lives.length)} containers, seed ${String(seed)}`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'soak.json'), `${JSON.stringify({ title, mostPerHour, trends, samples }, null, 2)}\n`);
  await writeFile(join(folder, 'soak.svg'), curvesOf(title, seriesOf(samples)));
  console.log(`\nsoak: ${title}`);
  for (const line of [...trends.map(lineOf), ...violationLines(stage, verdict)]) console.log(line);
  console.log(
    `  ${String(verdict.judged.length)} requests failed, of which ${String(verdict.violations.length)} not excused`,
  );
  console.log(`soak: ${ok ? 'no trend upwards' : `failed, seed ${String(seed)}`}; the curves are in ${folder}`);
  return ok ? 0 : 1;
}

function lineOf({ name, unit, first, last, most, perHour, rises }: Trend): string {
  const values = `${first.toFixed(0)} to ${last.toFixed(0)}, at most ${most.toFixed(0)} ${unit}`;
  return `  ${name}: ${values}; ${perHour.toFixed(1)} an hour${rises ? '  <-- more than may be' : ''}`;
}
