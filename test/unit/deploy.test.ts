import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { discoverMetrics } from '../../src/core/metrics/discover.js';
import type { Metric } from '../../src/core/metrics/metric.js';
import { registerMetrics } from '../../src/core/metrics/register.js';
import { dashboard, dashboardExpressions, ruleFile, scrapeConfiguration, type Rule } from './support/deployed.js';
import { metricNamesOf } from './support/promql.js';

/** Headings of docs/troubleshooting.md, as they are linked to. */
const troubles = [
  ...readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8').matchAll(/^## (.*)$/gm),
].map(([, heading = '']) => heading.toLowerCase().replaceAll(' ', '-'));
const rules = ruleFile().groups.flatMap(({ rules: ofGroup }) => ofGroup);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const known = new Set([
  'up',
  'ALERTS',
  ...rules.flatMap(({ record }) => record ?? []),
  ...[...Object.values(registerMetrics), ...Object.values(discoverMetrics)].flatMap(seriesOf),
  ...defaultMetrics(),
  // Scraped from HAProxy 3.0.
  ...readFileSync(new URL('../fixtures/haproxy-metrics.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n'),
]);

function seriesOf({ name, kind }: Metric): string[] {
  return kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name];
}

/** Of the process and of Node. */
function defaultMetrics(): string[] {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register.getMetricsAsArray().map(({ name }) => name);
}

/** Names in the expression that no one has. */
function strangersIn(expression: string): string[] {
  const { names, patterns } = metricNamesOf(expression);
  const hitsNone = (pattern: string): boolean => ![...known].some((name) => new RegExp(`^(?:${pattern})$`).test(name));
  return [...names.filter((name) => !known.has(name)), ...patterns.filter(hitsNone)];
}

describe('the names in a PromQL expression', () => {
  test.each([
    ['up{job="a_b"} == 0', ['up'], []],
    ['sum by (x, y) (rate(a_total{l="{"}[5m])) / on (z) group_left (q) b > 1e3', ['a_total', 'b'], []],
    ['a:b:c unless absent(d) or vector(0)', ['a:b:c', 'd'], []],
    ['count({__name__=~"x_(a|b)",job="c"} == 0)', [], ['x_(a|b)']],
    ['histogram_quantile(0.9, sum without (le) (e_bucket)) offset 5m', ['e_bucket'], []],
  ])('%s', (expression, names, patterns) => {
    expect(metricNamesOf(expression)).toEqual({ names, patterns });
  });
});

describe('the rules', () => {
  test.each(rules.map((rule) => [rule.alert ?? rule.record, rule.expr]))(
    '%s uses metrics that are there',
    (_, expr) => {
      expect(strangersIn(expr)).toEqual([]);
      const { names, patterns } = metricNamesOf(expr);
      expect(names.length + patterns.length).toBeGreaterThan(0);
    },
  );

  test('ask only for jobs that the example scrapes', () => {
    const jobs = scrapeConfiguration().scrape_configs.map(({ job_name }) => job_name);
    const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]*)"/g)].map(([, job]) => job));
    expect(new Set(asked)).toEqual(new Set(jobs));
  });

  test.each(alerts.map((rule): [string, Rule] => [rule.alert ?? '', rule]))(
    '%s says where, how bad, and what to do',
    (name, rule) => {
      expect(name).toMatch(/^Docker(Pair|Register|Discover)[A-Z]/);
      expect(rule.labels?.['severity']).toMatch(/^(critical|warning|info)$/);
      expect(rule.for).toMatch(/^\d+[smh]$/);
      const { summary = '', description = '', runbook = '' } = rule.annotations ?? {};
      // What is absent has no host.
      const where = rule.expr.startsWith('absent(') ? '$labels.job' : '$labels.instance';
      expect(summary).toContain(where);
      expect(description).toContain(where);
      const [, trouble] = /`(?:docker|etcdctl) .* docs\/troubleshooting\.md#([a-z-]+)$/.exec(runbook) ?? [];
      expect(troubles).toContain(trouble);
    },
  );
});

describe('the dashboard', () => {
  const { panels, templating } = dashboard();

  test('uses metrics that are there', () => {
    const expressions = dashboardExpressions(dashboard());
    expect(expressions.length).toBeGreaterThan(50);
    expect(expressions.flatMap(strangersIn)).toEqual([]);
  });

  test('asks the data source, the jobs and the hosts that are chosen', () => {
    expect(templating.list.map(({ name }) => name)).toEqual(['DS_PROMETHEUS', 'job', 'instance']);
    for (const { title, targets = [] } of panels)
      for (const { expr, datasource } of targets) {
        expect(datasource.uid, title).toBe('${DS_PROMETHEUS}');
        for (const [selector] of expr.matchAll(/\{[^}]*\}/g))
          if (!selector.includes('alertstate')) expect(selector, title).toContain('job=~"$job",instance=~"$instance"');
      }
  });

  test('has no two panels on one place', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          const place = `${String(x)},${String(y)}`;
          expect(taken.get(place), `${title} at ${place}`).toBeUndefined();
          taken.set(place, title);
        }
    }
  });
});
