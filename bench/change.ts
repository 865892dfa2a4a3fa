import { recordOf, type CatalogRecord } from '../src/core/catalog.js';
import { createCatalogIndex } from '../src/core/catalog-index.js';
import { createConfigurationReader } from '../src/core/haproxy/configuration-reader.js';
import { emptyModel, type Model } from '../src/core/haproxy/model.js';
import { planOf } from '../src/core/haproxy/plan.js';
import { createRenderer } from '../src/core/haproxy/render.js';
import { readTemplates } from '../src/cli/template-files.js';
import type { Templates } from '../src/core/haproxy/templates.js';
import { createListenerViews, undisturbed, viewOf } from '../src/core/haproxy/view.js';
import { createAttention } from '../src/daemon/attention.js';
import { createModelBuilder } from '../src/daemon/model-builder.js';
import { createWorkerMemory } from '../src/daemon/worker-memory.js';
import { hostWith, proxySettingsWith } from '../test/unit/support/settings.js';
import { median } from './figures.js';
import { publish } from './report.js';

const runs = 40;
const perService = 10;
const settings = proxySettingsWith();

/** What of the time from an event to the command for HAProxy is spent in docker-discover, stage by stage; no lab is needed. */
export async function change(): Promise<void> {
  const templates = await readTemplates(undefined);
  const rows = [];
  const samples = [];
  for (const endpoints of [10, 1_000, 10_000]) {
    const whole = [];
    const one = [];
    for (let run = 0; run < runs; run += 1) {
      const pipeline = createPipeline(templates);
      for (let n = 0; n < endpoints; n += 1) pipeline.put(recordAt(n, n));
      const first = await pipeline.round();
      pipeline.put(recordAt(0, 65_000));
      const second = await pipeline.round();
      if (second.steps !== 1) throw new Error(`one endpoint moved, and ${String(second.steps)} steps were planned`);
      // The first runs warm the compiler up.
      if (run >= runs / 4) {
        whole.push(first.tookMs);
        one.push(second.tookMs);
      }
      // Twenty runs with so many would take minutes.
      if (endpoints === 10_000 && run >= runs / 2) break;
    }
    const figuresOf = (all: readonly Stages[]): Stages => ({
      'catalog ms': median(all.map((stages) => stages['catalog ms'])),
      'model ms': median(all.map((stages) => stages['model ms'])),
      'render ms': median(all.map((stages) => stages['render ms'])),
      'read ms': median(all.map((stages) => stages['read ms'])),
      'plan ms': median(all.map((stages) => stages['plan ms'])),
    });
    rows.push({ what: `${String(endpoints)} endpoints, all of them`, figures: { ...figuresOf(whole) } });
    rows.push({ what: `${String(endpoints)} endpoints, one changes`, figures: { ...figuresOf(one) } });
    samples.push({ endpoints, whole, one });
  }
  await publish({
    name: 'change',
    title: 'work of docker-discover per change, in services of ten endpoints',
    unit: 'ms, median',
    rows,
    remarks: ['render is the file; read is what takes it apart again for the plan'],
    samples,
  });
}

interface Stages {
  readonly 'catalog ms': number;
  readonly 'model ms': number;
  readonly 'render ms': number;
  readonly 'read ms': number;
  readonly 'plan ms': number;
}

function recordAt(n: number, host: number): CatalogRecord {
  const service = Math.floor(n / perService);
  return recordOf('/backends', {
    key: `/backends/service-${String(service)}/${n.toString(16).padStart(12, '0')}`,
    value: `10.1.${String(host >> 8)}.${String(host & 255)}:8000?port=${String(10_000 + service)}`,
    createRevision: n + 1,
  });
}

/** The parts of docker-discover from the event to the plan, as it puts them together. */
function createPipeline(templates: Templates): {
  put(record: CatalogRecord): void;
  round(): Promise<{ readonly tookMs: Stages; readonly steps: number }>;
} {
  const index = createCatalogIndex();
  const read = createConfigurationReader();
  const render = createRenderer();
  const viewOfListener = createListenerViews();
  const attention = createAttention();
  const memory = createWorkerMemory(0);
  const builder = createModelBuilder({
    proxy: { takenOf: () => Promise.resolve([]) },
    ...hostWith({ lingerMs: 0 }),
    held: [],
    heldRevision: 0,
  });
  let model: Model = emptyModel;
  let indexMs = 0;

  return {
    put(record) {
      const startedAt = performance.now();
      index.set(record);
      indexMs += performance.now() - startedAt;
    },

    async round() {
      const loaded = new Set([settings.statsBind.port, ...model.listeners.map(({ port }) => port)]);
      const times = [performance.now()];
      const catalog = index.catalog();
      times.push(performance.now());
      ({ model } = await builder.build({
        catalog,
        revision: 1,
        isLive: true,
        loaded,
        last: { model, isRunning: true },
      }));
      times.push(performance.now());
      const rendered = render(templates, viewOf(model, settings, undisturbed, viewOfListener));
      if (!rendered.ok) throw new Error(rendered.reason);
      times.push(performance.now());
      const desired = read(rendered.value.pieces);
      times.push(performance.now());
      const scope = attention.take(desired);
      const plan = planOf(memory.observed(memory.knownOf(scope.planned)), desired);
      times.push(performance.now());
      const steps = plan.kind === 'runtime' ? plan.steps : [];
      if (plan.kind === 'reload') memory.loaded(desired);
      else memory.applied(steps, false);
      attention.done(desired, []);
      const between = (at: number): number => (times[at + 1] ?? 0) - (times[at] ?? 0);
      const tookMs = {
        'catalog ms': between(0) + indexMs,
        'model ms': between(1),
        'render ms': between(2),
        'read ms': between(3),
        'plan ms': between(4),
      };
      indexMs = 0;
      return { tookMs, steps: steps.length };
    },
  };
}
