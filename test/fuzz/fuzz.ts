import { parseFuzzArguments, type FuzzArguments } from './arguments.js';
import { batchSize, runBatch, type Finding } from './campaign.js';
import { createHaproxyCheck } from './haproxy-check.js';
import { createKit } from './kit.js';
import { meter } from './shown.js';
import { targets } from './targets.js';
import { haproxyPath } from '../lab/haproxy.js';

/** So many batches have one configuration that HAProxy itself looks at. */
const haproxyEvery = 2;
const progressMs = 10_000;
/** A counterexample may be a long text. */
const longestShown = 4_000;

const parsed = parseFuzzArguments(process.argv.slice(2), Date.now() % 2 ** 31);
if (typeof parsed === 'string') {
  console.error(parsed);
  process.exit(2);
}
process.exit(await fuzz(parsed));

async function fuzz({ cases, seed, only, haproxy }: FuzzArguments): Promise<number> {
  const chosen = targets.filter(({ name }) => only === null || name === only);
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const kit = createKit();
  const checker = await createHaproxyCheck(haproxy ?? (await haproxyPath(console.log)));
  const startedAt = performance.now();
  let [done, toldAt, checked] = [0, startedAt, 0];
  const progress = (): string => {
    const seconds = (performance.now() - startedAt) / 1000;
    return `fuzz: ${done.toLocaleString('en')} cases in ${seconds.toFixed(0)} s, ${Math.round(done / seconds).toLocaleString('en')} a second, ${String(checked)} configurations checked by HAProxy`;
  };
  console.log(
    `fuzz: seed ${String(seed)}, ${cases.toLocaleString('en')} cases, ${chosen.map(({ name }) => name).join(', ')}`,
  );
  try {
    for (let batch = 0; done < cases; batch += 1) {
      for (const target of chosen) {
        const runs = Math.ceil((batchSize * target.share) / shares);
        const finding = runBatch(target, { seed: (seed + batch) % 2 ** 31, runs, kit });
        if (finding !== null) return failed(finding);
        done += runs;
      }
      if (kit.last !== null && batch % haproxyEvery === 0) {
        const reason = await checker.whyNot(kit.last);
        checked += 1;
        if (reason !== null) {
          console.error(
            `fuzz: HAProxy does not take a configuration of batch seed ${String(seed + batch)}:\n${reason}\n${kit.last.text}`,
          );
          return 1;
        }
      }
      if (performance.now() - toldAt > progressMs) {
        toldAt = performance.now();
        console.log(progress());
        // For the signals, and for whoever collects garbage.
        await new Promise(setImmediate);
      }
    }
    const stray = strayMetric((await meter.text()).body);
    if (stray !== undefined) {
      console.error(`fuzz: metrics: ${JSON.stringify(stray)}`);
      return 1;
    }
  } finally {
    await checker.dispose();
  }
  console.log([...kit.tally.lines(), progress(), `fuzz: nothing found with seed ${String(seed)}`].join('\n'));
  return 0;
}

function failed({ target, seed, runs, counterexample, error }: Finding): number {
  console.error(
    `fuzz: ${target}: ${cut(error)}\nof ${cut(counterexample)}\nagain with: npm run fuzz -- --only ${target} --seed ${String(seed)} --cases ${String(runs)}`,
  );
  return 1;
}

function cut(text: string): string {
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`;
}

/** A line of the metrics whose labels have other values than our own words. */
function strayMetric(text: string): string | undefined {
  return text
    .split('\n')
    .find(
      (line) =>
        !/^(?:|# [ -~]*|[a-z0-9_]+(?:\{[a-z_]+="[A-Za-z0-9_.+]*"(?:,[a-z_]+="[A-Za-z0-9_.+]*")*\})? [-+0-9.eE]+|[a-z0-9_]+ N[aA][nN])$/.test(
          line,
        ),
    );
}
