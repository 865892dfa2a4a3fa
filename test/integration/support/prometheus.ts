import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { waitFor } from '../../lab/wait-for.js';
import { ruleFile, scrapeConfiguration, type RuleFile, type ScrapeConfiguration } from '../../unit/support/deployed.js';

export interface Alert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** When it was asked, s since 1970, and the value. */
  readonly value: readonly [number, string];
}

/** A real Prometheus on loopback with the rules and the scrape configuration of `deploy`, in a hurry. */
export interface TestPrometheus {
  /** Rejects where it does not take the expression. */
  query(expression: string): Promise<readonly Sample[]>;
  /** Those that fire now. */
  firing(): Promise<readonly Alert[]>;
  /** Names of all metrics that it was told of, with or without a value. */
  toldNames(): Promise<ReadonlySet<string>>;
  dispose(): Promise<void>;
}

export interface PrometheusOptions {
  readonly port: number;
  /** Ports on loopback, by job. */
  readonly targets: Readonly<Record<string, number>>;
  /** The times of the rules are divided by it. */
  readonly speed: number;
}

export async function startPrometheus({ port, targets, speed }: PrometheusOptions): Promise<TestPrometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'prometheus-'));
  await writeFile(join(dir, 'alerts.yaml'), stringify(faster(ruleFile(), speed)));
  await writeFile(join(dir, 'prometheus.yaml'), stringify(scraping(scrapeConfiguration(), targets)));
  const url = `http://127.0.0.1:${String(port)}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${String(port)}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'close');
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));

  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(10_000) });
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return data;
  };
  const dispose = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitFor('Prometheus to be ready', async () => child.exitCode !== null || (await fetch(`${url}/-/ready`)).ok);
    if (child.exitCode !== null) throw new Error(`Prometheus ended at once:\n${output}`);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    query: async (expression) =>
      (await ask<{ result: Sample[] }>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).result,
    firing: async () =>
      (await ask<{ alerts: Alert[] }>('/api/v1/alerts')).alerts.filter(({ state }) => state === 'firing'),
    toldNames: async () => new Set(Object.keys(await ask<object>('/api/v1/metadata'))),
    dispose,
  };
}

/** The same rules with every time in them divided; thresholds stay. */
function faster({ groups }: RuleFile, speed: number): RuleFile {
  const divided = (duration: string): string => {
    const [, count, unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? [];
    const seconds = Number(count) * (({ s: 1, m: 60, h: 3600 } as Record<string, number>)[unit] ?? NaN);
    return `${String(Math.max(1, Math.round(seconds / speed)))}s`;
  };
  return {
    groups: groups.map(({ name, rules }) => ({
      name,
      rules: rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replaceAll(/\[(\w+)\]/g, (_, window: string) => `[${divided(window)}]`),
        ...(rule.for !== undefined && { for: divided(rule.for) }),
      })),
    })),
  };
}

/** The same jobs with other targets. */
function scraping(
  { rule_files, scrape_configs }: ScrapeConfiguration,
  targets: PrometheusOptions['targets'],
): ScrapeConfiguration {
  return {
    global: { scrape_interval: '500ms', evaluation_interval: '1s' },
    rule_files,
    scrape_configs: scrape_configs.map((job) => ({
      ...job,
      static_configs: [{ targets: [`127.0.0.1:${String(targets[job.job_name])}`] }],
    })),
  };
}
