import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FleetShape, Phase } from './fleet-phases.js';

/** What is compared, each on a scale of its own from 0. */
const panels = [
  { phase: 'steady', figure: 'etcd, % of a core', title: 'etcd while nothing happens, % of a core' },
  { phase: 'steady', figure: 'kB/s from etcd', title: 'from etcd while nothing happens, kB/s' },
  { phase: 'deploy', figure: 'etcd, % of a core', title: 'etcd at a deploy, % of a core' },
  { phase: 'deploy', figure: 'kB/s from etcd', title: 'from etcd at a deploy, kB/s' },
  { phase: 'deploy', figure: 'lag p50 ms', title: 'a change is heard at a deploy, p50 ms' },
  { phase: 'deploy', figure: 'lag p99 ms', title: 'the same, p99 ms' },
] as const;

const colours = ['#4078c0', '#c0504d', '#4f9d55', '#8064a2', '#d08a2a'];
const panelWidth = 380;
const barWidth = 290;
const barHeight = 14;
const folder = fileURLToPath(new URL('../../bench-results', import.meta.url));

export interface MeasuredFleet {
  readonly shape: FleetShape;
  readonly phases: readonly Phase[];
}

/** Writes `bench-results/<name>.svg`: for each figure a bar for each fleet. */
export async function drawFleet(name: string, fleets: readonly MeasuredFleet[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.svg`), svgOf(fleets));
}

function svgOf(fleets: readonly MeasuredFleet[]): string {
  const legendHeight = 30 + 18 * fleets.length;
  const panelHeight = 34 + fleets.length * (barHeight + 3);
  const height = legendHeight + Math.ceil(panels.length / 2) * panelHeight + 10;
  const legend = fleets.map(({ shape }, at) => {
    const y = 40 + 18 * at;
    return `<rect x="12" y="${String(y - 10)}" width="12" height="12" fill="${colourOf(at)}"/><text x="30" y="${String(y)}">${escaped(shape.what)}</text>`;
  });
  const drawn = panels.map(({ phase, figure, title }, at) => {
    const values = fleets.map(({ phases }) => valueOf(phases, phase, figure));
    const most = Math.max(...values, 1e-9);
    const [x, y] = [12 + (at % 2) * panelWidth, legendHeight + Math.floor(at / 2) * panelHeight + 20];
    const bars = values.map((value, n) => {
      const [top, length] = [y + 8 + n * (barHeight + 3), Math.max(1, (value / most) * barWidth)];
      return `<rect x="${String(x)}" y="${String(top)}" width="${length.toFixed(1)}" height="${String(barHeight)}" fill="${colourOf(n)}"/><text x="${(x + length + 5).toFixed(1)}" y="${String(top + 11)}">${shown(value)}</text>`;
    });
    return `<text x="${String(x)}" y="${String(y)}" font-weight="bold">${escaped(title)}</text>${bars.join('')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(2 * panelWidth)} ${String(height)}" width="${String(2 * panelWidth)}" height="${String(height)}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    '<text x="12" y="20" font-size="14">A fleet against three members of etcd, on two cores with them</text>',
    ...legend,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

/** Of the first such phase; 0 where it has no such figure. */
function valueOf(phases: readonly Phase[], phase: string, figure: string): number {
  return phases.find((one) => one.phase.startsWith(phase))?.figures[figure] ?? 0;
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(2);
}

function colourOf(at: number): string {
  return colours[at % colours.length] ?? '#777777';
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
