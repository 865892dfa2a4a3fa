import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverMetrics } from '../../src/core/metrics/discover.js';
import { registerMetrics } from '../../src/core/metrics/register.js';
import { haproxyPath } from '../lab/haproxy.js';
import { startLab, type EngineHost } from '../lab/lab.js';
import { waitFor } from '../lab/wait-for.js';
import { dashboard, dashboardExpressions, ruleFile } from '../unit/support/deployed.js';
import { metricNamesOf } from '../unit/support/promql.js';
import { startBackEnd } from './support/back-end.js';
import { startDaemon } from './support/daemon.js';
import { startEtcd, type TestEtcd } from './support/etcd.js';
import { freePorts } from './support/free-ports.js';
import { startPrometheus, type Alert, type TestPrometheus } from './support/prometheus.js';
import { createSite, type Site } from './support/site.js';

/** A minute in the rules is two seconds here. */
const speed = 30;
const withinMs = 90_000;
let etcd: TestEtcd;
let host: EngineHost;
let site: Site;
let prometheus: TestPrometheus;
let nobodysPort: number;
let metricsPorts: { readonly 'docker-register': number; readonly 'docker-discover': number };

/** What is to be ended, in the order in which it was begun. */
const begun: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const binary = await haproxyPath(console.log);
  const lab = await startLab({ log: console.log });
  begun.push(() => lab.stop());
  host = lab.backends[0];
  begun.push(() => host.run('docker ps -aq | xargs -r docker rm -f -v'));
  etcd = await startEtcd();
  begun.push(() => etcd.dispose());
  const a = await startBackEnd('a');
  begun.push(() => a.close());
  const [registerPort = 0, prometheusPort = 0, unused = 0, ...ports] = await freePorts(7);
  nobodysPort = unused;
  site = await createSite({ etcd, binary, ports, prefix: '/backends' });
  begun.push(() => site.dispose());
  metricsPorts = { 'docker-register': registerPort, 'docker-discover': site.thirdPort };
  await site.put('web/a', `${a.address}?port=${String(site.port)}&at=${new Date().toISOString()}`);
  startDiscover();
  await site.answers(site.port, 'a');
  await startRegister(registerPort);
  const targets = { ...metricsPorts, haproxy: site.statsPort };
  prometheus = await startPrometheus({ port: prometheusPort, targets, speed });
  begun.push(() => prometheus.dispose());
  await waitFor('all to be scraped', async (seen) => seen(await prometheus.query('up == 1')).length === 3);
}, 900_000);
afterAll(async () => {
  for (const end of begun.reverse()) await end();
});

async function startRegister(metricsPort: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'reg-'));
  begun.push(() => rm(dir, { recursive: true, force: true }));
  const register = startDaemon('docker-register', [], {
    HOST_IP: '127.0.0.1',
    ETCD_HOST: etcd.host,
    DOCKER_HOST: `unix://${host.root}/run/docker.sock`,
    RUN_DIR: dir,
    TTL: '15s',
    METRICS_BIND: `127.0.0.1:${String(metricsPort)}`,
  });
  begun.push(() => {
    register.signal('SIGTERM');
    return register.ended;
  });
  await waitFor('docker-register to have a lease', () => register.output().includes('lease granted'));
}

function startDiscover(): void {
  site.start({ METRICS_BIND: `127.0.0.1:${String(site.thirdPort)}` });
}

const firingNames = async (): Promise<string[]> => {
  const names = (await prometheus.firing()).map(({ labels }) => labels['alertname'] ?? '');
  return [...new Set(names)].sort();
};

/** Waits until these fire, whatever else does, and hands out the first of each. */
const fire = (...names: readonly string[]): Promise<readonly Alert[]> =>
  waitFor(
    `${names.join(' and ')} to fire`,
    async (seen) => {
      const firing = seen(await prometheus.firing());
      const those = names.flatMap((name) => firing.find(({ labels }) => labels['alertname'] === name) ?? []);
      return those.length === names.length && those;
    },
    { timeoutMs: withinMs },
  );

const clear = (): Promise<unknown> =>
  waitFor('all alerts to clear', async (seen) => seen(await firingNames()).length === 0, { timeoutMs: withinMs });

/** What an alert says to whoever is on call: it names the host, and nothing is left out. */
function expectInWords({ annotations }: Alert): void {
  const { summary = '', description = '', runbook = '' } = annotations;
  expect(summary).toContain('127.0.0.1');
  expect(`${summary} ${description} ${runbook}`).not.toMatch(/<no value>|\{\{|error/i);
}

describe('metrics', () => {
  it.each(['docker-register', 'docker-discover'] as const)('of %s follow the conventions', async (job) => {
    const scraped = await (await fetch(`http://127.0.0.1:${String(metricsPorts[job])}/metrics`)).text();
    const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin.end(scraped);
    const complaints = (await text(child.stderr)).split('\n').filter((line) => line !== '');
    // Three gauges are called so by the library that measures Node itself; that they are told of shows that promtool looked.
    expect(complaints.filter((line) => line.startsWith('nodejs_active_'))).toHaveLength(3);
    expect(complaints.filter((line) => !line.startsWith('nodejs_active_'))).toEqual([]);
  });

  it('that the dashboard and the rules use are all told, and our tables are complete', async () => {
    const told = await prometheus.toldNames();
    const rules = ruleFile().groups.flatMap((group) => group.rules);
    const used = [...dashboardExpressions(dashboard()), ...rules.map(({ expr }) => expr)].flatMap(
      (expression) => metricNamesOf(expression).names,
    );
    // Those that Prometheus makes itself.
    const scraped = new Set(used.filter((name) => !name.includes(':') && name !== 'up' && name !== 'ALERTS'));
    const missing = [...scraped].filter(
      (name) => !told.has(name) && !told.has(name.replace(/_(bucket|count|sum)$/, '')),
    );
    expect(missing).toEqual([]);
    const ours = [...Object.values(registerMetrics), ...Object.values(discoverMetrics)].map(({ name }) => name);
    expect([...told].filter((name) => name.startsWith('docker_')).sort()).toEqual(ours.sort());
  });
});

describe('the alerts', { timeout: 3 * withinMs }, () => {
  it('are silent while all is well, with a container that nobody publishes', async () => {
    await host.docker('run', '-d', '--name', 'quiet', '--label', 'SERVICE_IGNORE=1', 'whoami');
    // Longer than any of them waits, but the one that waits for an hour.
    await waitFor(
      'half a minute of scrapes',
      async (seen) =>
        Number(seen((await prometheus.query('count_over_time(up{job="haproxy"}[5m])'))[0]?.value[1])) >= 60,
      { timeoutMs: withinMs },
    );
    expect(await prometheus.query('max_over_time(ALERTS{alertstate="firing"}[5m])')).toEqual([]);
  });

  it('tell that etcd is away, and that it is back', async () => {
    await etcd.kill();
    try {
      const fired = await fire('DockerDiscoverCatalogNotLive', 'DockerRegisterLeaseUnconfirmed');
      fired.forEach(expectInWords);
      expect(await firingNames()).not.toContain('DockerDiscoverDown');
      // The lease is over by then, and a new one not to be had.
      await waitFor('a round to fail', async (seen) => {
        const failed = 'docker_register_reconciles_total{outcome="failed"}';
        return seen(await prometheus.query(failed)).length > 0;
      });
    } finally {
      await etcd.start();
    }
    await clear();
  });

  it('tell that docker-discover is down, and that it is up again', async () => {
    site.kill();
    (await fire('DockerDiscoverDown')).forEach(expectInWords);
    startDiscover();
    await clear();
  });

  it('tell of a key that is rejected, until it is gone', async () => {
    await site.put('web/bad', 'nonsense');
    const fired = await fire('DockerDiscoverNotServed');
    fired.forEach(expectInWords);
    expect(fired[0]?.labels['reason']).toBe('rejected');
    await site.remove('web/bad');
    await clear();
  });

  it('tell of a service whose every endpoint fails, until it is stopped', async () => {
    // Registered on the machine's loopback, where nobody listens: it is published on the host of the lab.
    const args = ['-p', `${String(nobodysPort)}:8000`, '--label', `SERVICE_PORT=${String(site.otherPort)}`];
    await host.docker('run', '-d', '--name', 'far', ...args, 'whoami');
    const fired = await fire('DockerDiscoverNoServerUp');
    fired.forEach(expectInWords);
    expect(fired[0]?.labels['proxy']).toBe(`whoami:${String(site.otherPort)}`);
    await host.docker('rm', '-f', 'far');
    await clear();
  });
});

// At the end: most of what it shows has happened then.
describe('the dashboard', () => {
  it('asks nothing that Prometheus does not take, and shows something in every place', async () => {
    const empty: string[] = [];
    for (const expression of dashboardExpressions(dashboard())) {
      const asked = expression.replaceAll(/\$(job|instance)\b/g, '.+').replaceAll('$__rate_interval', '5m');
      if ((await prometheus.query(asked)).length === 0) empty.push(...metricNamesOf(expression).names);
    }
    // All is well again, and HAProxy is ours.
    expect(empty.sort()).toEqual(['ALERTS', 'docker_discover_not_served', 'docker_discover_stale_endpoints']);
  });
});
