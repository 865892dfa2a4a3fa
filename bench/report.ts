import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartOf } from './chart.js';

export interface Report {
  readonly name: string;
  /** What was measured, in a sentence. */
  readonly title: string;
  readonly unit: string;
  /** One row per thing that is compared. */
  readonly rows: readonly { readonly what: string; readonly figures: Readonly<Record<string, number>> }[];
  /** Comparisons and targets, one line each. */
  readonly remarks: readonly string[];
  /** Everything that was measured, for the JSON. */
  readonly samples: unknown;
}

const folder = fileURLToPath(new URL('../bench-results', import.meta.url));

/** Prints the table, and writes `<name>.json` and `<name>.svg`. */
export async function publish(report: Report): Promise<void> {
  const { name, title, unit, rows, remarks } = report;
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const cells = [
    ['', ...columns],
    ...rows.map(({ what, figures }) => [what, ...columns.map((column) => shown(figures[column]))]),
  ];
  const widths = cells[0]?.map((_cell, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0))) ?? [];
  console.log(`\n${name}: ${title} [${unit}]`);
  for (const row of cells) {
    console.log(
      `  ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`,
    );
  }
  for (const remark of remarks) console.log(`  ${remark}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ ...report, machine: machine() }, null, 2)}\n`);
  await writeFile(join(folder, `${name}.svg`), chartOf(report));
}

/** What it ran on. */
export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${String(cpus().length)} × ${first?.model ?? 'CPU'}, ${String(memory)} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}
