import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const deployDir = fileURLToPath(new URL('../../../deploy/', import.meta.url));

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  expr: string;
  for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export interface ScrapeConfiguration {
  global: Record<string, string>;
  rule_files: string[];
  readonly scrape_configs: readonly { readonly job_name: string; static_configs: { targets: string[] }[] }[];
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { query: string } }[];
  };
}

const textOf = (path: string): string => readFileSync(deployDir + path, 'utf8');

export const ruleFile = (): RuleFile => parse(textOf('prometheus/alerts.yaml')) as RuleFile;
export const scrapeConfiguration = (): ScrapeConfiguration =>
  parse(textOf('prometheus/prometheus.yaml')) as ScrapeConfiguration;
export const dashboard = (): Dashboard => JSON.parse(textOf('grafana/docker-discover.json')) as Dashboard;

/** What the dashboard asks Prometheus, also for the values of its variables: as it stands there, with `$job` and the like in it. */
export function dashboardExpressions({ panels, templating }: Dashboard): string[] {
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const ofVariables = templating.list.flatMap(({ query }) => {
    const [, series] = /^label_values\((.*), \w+\)$/.exec(typeof query === 'string' ? query : query.query) ?? [];
    return series === undefined ? [] : [series];
  });
  return [...asked, ...ofVariables];
}
