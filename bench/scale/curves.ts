import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Lines over a number of something, both axes logarithmic. */
export interface Curves {
  readonly name: string;
  readonly title: string;
  /** What is counted from left to right. */
  readonly along: string;
  readonly unit: string;
  readonly series: readonly { readonly what: string; readonly points: readonly (readonly [number, number])[] }[];
}

const width = 640;
const height = 360;
const left = 60;
const right = 190;
const top = 40;
const bottom = 50;
const colours = ['#4078c0', '#c0504d', '#4f9d55', '#8064a2', '#d08a2a', '#3fa7b5', '#777777', '#111111'];
const folder = fileURLToPath(new URL('../../bench-results', import.meta.url));

/** Writes `bench-results/<name>.svg`. */
export async function draw(curves: Curves): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${curves.name}.svg`), svgOf(curves));
}

function svgOf({ title, along, unit, series }: Curves): string {
  const points = series.flatMap((one) => one.points);
  const x = axisOf(points.map(([at]) => at));
  const y = axisOf(points.map(([, value]) => value));
  const xOf = (value: number): number => left + x.share(value) * (width - left - right);
  const yOf = (value: number): number => height - bottom - y.share(value) * (height - top - bottom);
  const grid = [
    ...x.ticks.map((tick) => {
      const at = xOf(tick).toFixed(1);
      return `<path d="M${at} ${String(top)}V${String(height - bottom)}" stroke="#ddd"/><text x="${at}" y="${String(height - bottom + 16)}" text-anchor="middle">${tick.toLocaleString('en')}</text>`;
    }),
    ...y.ticks.map((tick, n) => {
      const at = yOf(tick).toFixed(1);
      const shown = tick.toLocaleString('en', { maximumFractionDigits: 6 });
      // There is no place for it on such an axis: it is drawn at the bottom.
      const label = n === 0 && points.some(([, value]) => value === 0) ? `0, ${shown}` : shown;
      return `<path d="M${String(left)} ${at}H${String(width - right)}" stroke="#ddd"/><text x="${String(left - 6)}" y="${at}" dy="4" text-anchor="end">${label}</text>`;
    }),
  ];
  const lines = series.map(({ what, points: own }, at) => {
    const colour = colours[at % colours.length] ?? '#000';
    const path = own.map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${xOf(px).toFixed(1)} ${yOf(py).toFixed(1)}`).join('');
    const dots = own.map(
      ([px, py]) => `<circle cx="${xOf(px).toFixed(1)}" cy="${yOf(py).toFixed(1)}" r="3" fill="${colour}"/>`,
    );
    const legendY = top + 10 + at * 20;
    return [
      `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<rect x="${String(width - right + 16)}" y="${String(legendY - 8)}" width="12" height="4" fill="${colour}"/>`,
      `<text x="${String(width - right + 34)}" y="${String(legendY)}">${escaped(what)}</text>`,
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="12" y="22" font-size="14">${escaped(title)} [${escaped(unit)}]</text>`,
    ...grid,
    ...lines,
    `<text x="${String(left + (width - left - right) / 2)}" y="${String(height - 12)}" text-anchor="middle">${escaped(along)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** From the power of ten below the least to the one above the greatest. */
function axisOf(values: readonly number[]): { readonly share: (value: number) => number; readonly ticks: number[] } {
  const positive = values.filter((value) => value > 0);
  const least = Math.floor(Math.log10(Math.min(...positive)));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return {
    share: (value) => (value <= 0 ? 0 : (Math.log10(value) - least) / (most - least)),
    ticks: Array.from({ length: most - least + 1 }, (_, n) => Number(`1e${String(least + n)}`)),
  };
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
