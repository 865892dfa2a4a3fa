import { explanationText } from '../../src/cli/discover-explain.js';
import { asciiJson, statusText } from '../../src/cli/discover-ls.js';
import { findingsText } from '../../src/cli/doctor.js';
import { plain } from '../../src/cli/paint.js';
import { eventOf } from '../../src/cli/status-page.js';
import type { ProblemsByKind } from '../../src/core/discover-counts.js';
import type { DiscoverStatus } from '../../src/core/discover-status.js';
import { judgeDiscover } from '../../src/core/doctor/discover.js';
import type { Step } from '../../src/core/haproxy/plan.js';
import { discoverMetrics } from '../../src/core/metrics/discover.js';
import { createPrometheusMeter } from '../../src/adapters/prometheus.js';
import { unmetOf } from '../../src/core/pool-wish.js';
import { serviceExplanationOf } from '../../src/core/service-explanation.js';
import { pagePartsOf, pageUpdateOf } from '../../src/core/status-page.js';
import { createChangeLog } from '../../src/daemon/change-log.js';
import { createProblemLog } from '../../src/daemon/problem-log.js';
import { prefix } from '../unit/support/registrations.js';
import { colours, type Kit } from './kit.js';

const mostProblems = 50;
const longestLine = 8_000;
export const meter = createPrometheusMeter(Object.values(discoverMetrics));

export interface Shown {
  readonly status: DiscoverStatus;
  readonly problems: ProblemsByKind;
  readonly steps: readonly Step[];
}

/** What docker-discover knows on its way to a log, a terminal, a page and metrics. */
export function checkShown({ status, problems, steps }: Shown, kit: Kit): void {
  const { sinks, logs } = kit;
  let done = status;
  logs.check(
    (log) => {
      createProblemLog(log).tell(Object.values(problems));
      const changes = createChangeLog({ log, meter, isLooping: () => false });
      changes.reloaded({ cause: 'section_added', text: `listen ${status.listeners[0]?.name ?? ''} added` }, 1);
      changes.reloaded({ cause: 'section_added', text: `listen ${status.listeners.at(-1)?.name ?? ''} added` }, 1);
      if (steps.length > 0) changes.applied(steps);
      const { lastChange, lastReload } = changes.changes();
      done = { ...status, haproxy: { ...status.haproxy, lastChange, lastReload }, changes: changes.recent() };
    },
    kit.cases % 8 === 0,
  );

  sinks.terminal('docker-discover ls', {
    plain: statusText(done),
    painted: statusText(done, colours),
    lines: linesOf(done),
  });
  if (kit.cases % 3 === 0) sinks.json('docker-discover ls --json', asciiJson(done), done);
  if (kit.cases % 3 === 1) checkFindings(done, kit);
  if (kit.cases % 3 === 2) checkExplanations(done, kit);

  const about = { host: 'client-1', version: '1.0.0', statsPort: 1936 };
  const update = pageUpdateOf(null, pagePartsOf({ about, status: done, problems, nowMs: 1 }, null), 1);
  if (update !== null) sinks.feed(eventOf(update));
}

function checkExplanations(done: DiscoverStatus, { sinks }: Kit): void {
  for (const service of new Set(done.listeners.map((listener) => listener.service))) {
    const explanation = serviceExplanationOf(done, { service, prefix, isWanted: true });
    for (const reason of explanation.reasons) sinks.line('docker-discover explain', reason, longestLine);
    sinks.terminal('docker-discover explain', {
      plain: explanationText(explanation, plain),
      painted: explanationText(explanation, colours),
    });
    sinks.line(
      'docker-discover wait',
      unmetOf(done, { service, port: null, up: 1_000, down: null }) ?? '',
      longestLine,
    );
  }
}

function checkFindings(done: DiscoverStatus, { sinks }: Kit): void {
  const ok = { ok: true, tookMs: 1 } as const;
  const findings = judgeDiscover({
    runDir: '/run',
    readiness: { ...ok, value: { isReady: true, text: 'ready' } },
    status: { ...ok, value: done },
  });
  const lines = 3 + findings.reduce((sum, { mend }) => sum + (mend === null ? 1 : 2), 0);
  sinks.terminal('docker-discover doctor', {
    plain: findingsText(findings, plain),
    painted: findingsText(findings, colours),
    lines,
  });
}

/** Of `ls`: what came from outside makes no line of its own. */
function linesOf({ haproxy, output, fault, listeners, problems }: DiscoverStatus): number {
  const told = [haproxy.lastChange, haproxy.lastReload, output?.lastRun, fault].filter((one) => one != null).length;
  const stale = listeners.some(({ endpoints }) => endpoints.some((endpoint) => endpoint.stale)) ? 1 : 0;
  const rows = listeners.reduce((sum, { endpoints }) => sum + Math.max(1, endpoints.length), 0);
  const routes = listeners.reduce((sum, listener) => sum + listener.routes.length, 0);
  return (
    1 +
    told +
    stale +
    (2 + rows) +
    (routes > 0 ? 2 + routes : 0) +
    (problems.length > 0 ? 2 + Math.min(problems.length, mostProblems) + (problems.length > mostProblems ? 1 : 0) : 0)
  );
}
