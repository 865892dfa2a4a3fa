import type { Option } from 'commander';
import { discoverOptions } from '../src/cli/discover-settings.js';
import { registerOptions } from '../src/cli/register-settings.js';
import { discoverMetrics } from '../src/core/metrics/discover.js';
import type { Metric } from '../src/core/metrics/metric.js';
import { registerMetrics } from '../src/core/metrics/register.js';

/** Parts of a page, by the name in their marks. */
type Parts = ReadonlyMap<string, string>;

/** What of the documentation is made from the code, by page. */
export function generatedPages(): ReadonlyMap<string, Parts> {
  return new Map([
    [
      'docs/metrics.md',
      new Map([
        ['docker-register', metricsTable(Object.values(registerMetrics))],
        ['docker-discover', metricsTable(Object.values(discoverMetrics))],
      ]),
    ],
    [
      'docs/settings.md',
      new Map([
        ['docker-register', settingsTable(registerOptions())],
        ['docker-discover', settingsTable(discoverOptions())],
      ]),
    ],
  ]);
}

/** Puts each part between its marks, `<!-- generated: name -->` and `<!-- end -->`. @throws where the page has none */
export function withGenerated(page: string, parts: Parts): string {
  let text = page;
  for (const [name, part] of parts) {
    const [begin, end] = [`<!-- generated: ${name} -->`, '<!-- end -->'];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from === -1 || to === -1) throw new Error(`there is no ${begin} with an ${end} behind it`);
    text = `${text.slice(0, from + begin.length)}\n\n${part}\n${text.slice(to)}`;
  }
  return text;
}

function metricsTable(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, kind, labels, help }) => [
    `\`${name}\``,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  return tableOf(['metric', 'kind', 'labels', 'what it is'], rows);
}

function settingsTable(options: readonly Option[]): string {
  const rows = options.map((option) => [
    `\`${option.envVar ?? ''}\``,
    `\`${option.flags}\``,
    defaultOf(option),
    `${option.description}${option.argChoices === undefined ? '' : ` (${option.argChoices.join(', ')})`}`,
  ]);
  return tableOf(['variable', 'flag', 'default', 'meaning'], rows);
}

function defaultOf({ defaultValue, defaultValueDescription }: Option): string {
  const shown = defaultValueDescription ?? (defaultValue === undefined ? '' : String(defaultValue));
  return shown === '' ? '' : `\`${shown}\``;
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(header) + line(header.map(() => '---')) + rows.map(line).join('');
}
