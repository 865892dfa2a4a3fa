import { setTimeout as sleep } from 'node:timers/promises';
import { boundHeap, trimHeap } from '../adapters/heap.js';
import { serveHttp, textAnswer, type Answer } from '../adapters/http/server.js';
import { notifySystemd } from '../adapters/systemd.js';
import { createPrometheusMeter, type PrometheusMeter, type Reading } from '../adapters/prometheus.js';
import { formatBind, type BindAddress } from '../core/haproxy/bind.js';
import type { DaemonMetrics } from '../core/metrics/daemon.js';
import type { Metric } from '../core/metrics/metric.js';
import { serviceManagerOf } from '../core/service-manager.js';
import { retry } from '../daemon/retry.js';
import { tellServiceManager, type Health } from '../daemon/service-notices.js';
import type { Logger } from '../ports/log.js';
import { packageVersion } from './version.js';

export interface OwnEndpoints {
  readonly bind: BindAddress | 'none';
  readonly meter: PrometheusMeter;
  readonly health: Health;
  readonly log: Logger;
}

/** A meter for one daemon, with what both show. */
export function meterOf(metrics: DaemonMetrics & Readonly<Record<string, Metric>>): PrometheusMeter {
  const meter = createPrometheusMeter(Object.values(metrics));
  meter.tell(metrics.buildInfo, { version: packageVersion(), node: process.versions.node });
  return meter;
}

export function readinessReading({ ready }: DaemonMetrics, { readiness }: Health): Reading {
  return { metric: ready, read: () => Number(readiness().isReady) };
}

const hangs = 'not alive: a round has gone on for longer than all its deadlines together; restart the daemon';

/** `/metrics`, `/healthz` and `/readyz`. A port that is taken costs these alone, until it is free. */
export async function serveOwnEndpoints(
  { bind, meter, health, log }: OwnEndpoints,
  signal: AbortSignal,
): Promise<void> {
  if (bind === 'none') return;
  const paths = new Map<string, () => Answer | Promise<Answer>>([
    ['/metrics', async () => ({ status: 200, ...(await meter.text()) })],
    ['/healthz', () => (health.isAlive() ? textAnswer(200, 'alive') : textAnswer(503, hangs))],
    [
      '/readyz',
      () => {
        const { isReady, text } = health.readiness();
        return textAnswer(isReady ? 200 : 503, text);
      },
    ],
  ]);
  const what = `metrics and health on ${formatBind(bind)} (METRICS_BIND)`;
  await retry((healthy) => serveHttp({ bind, paths }, healthy, signal), { what, log, signal });
}

/** What a start leaves behind goes a little later: what follows on the first answer is part of it. */
export async function trimHeapAfterStart({ readiness }: Health, signal: AbortSignal): Promise<void> {
  boundHeap();
  do await sleep(5_000, undefined, { signal });
  while (!readiness().isReady);
  trimHeap();
}

/** Where systemd started the daemon and wants to be told (Type=notify), it is. */
export async function serveServiceManager(
  { health, log }: Pick<OwnEndpoints, 'health' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const manager = serviceManagerOf(process.env, process.pid);
  if (manager === null) return;
  const { socket, watchdogMs } = manager;
  const tell = (assignments: readonly string[]): Promise<void> => notifySystemd(socket, assignments);
  await tellServiceManager({ health, watchdogMs, tell, log }, signal);
}
