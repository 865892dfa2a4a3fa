import type { Series } from './trend.js';

const width = 420;
const height = 90;
const columns = 2;
const margin = { left: 10, top: 50, gap: 40, label: 22 };

/** A panel per series, each with its own scale, which begins at 0. Readable on light and on dark ground. */
export function curvesOf(title: string, all: readonly Series[]): string {
  const rows = Math.ceil(all.length / columns);
  const totalWidth = margin.left + columns * (width + margin.gap);
  const totalHeight = margin.top + rows * (height + margin.gap);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(totalWidth)}" height="${String(totalHeight)}" font-family="sans-serif" font-size="12">`,
    '<style>',
    ':root { color: #222; background: #fff } .line { stroke: #2a64b0 }',
    '@media (prefers-color-scheme: dark) { :root { color: #ddd; background: #161b22 } .line { stroke: #79b0ff } }',
    'text { fill: currentColor } .line { fill: none; stroke-width: 1.2 } .axis { fill: none; stroke: currentColor; stroke-opacity: 0.4 }',
    '</style>',
    `<text x="10" y="22" font-size="14">${escaped(title)}</text>`,
    ...all.map((series, at) => panelOf(series, at)),
    '</svg>',
    '',
  ].join('\n');
}

function panelOf({ name, unit, points }: Series, at: number): string {
  const left = margin.left + (at % columns) * (width + margin.gap);
  const top = margin.top + Math.floor(at / columns) * (height + margin.gap);
  const most = Math.max(1, ...points.map(({ value }) => value));
  const startMs = points[0]?.atMs ?? 0;
  const lengthMs = Math.max(1, (points.at(-1)?.atMs ?? 0) - startMs);
  const path = points
    .map(({ atMs, value }) => {
      const x = left + ((atMs - startMs) / lengthMs) * width;
      const y = top + height - (value / most) * (height - margin.label);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
  const minutes = (lengthMs / 60_000).toFixed(0);
  return [
    `<text x="${String(left)}" y="${String(top + 12)}">${escaped(name)}: up to ${most.toFixed(0)} ${unit}, ${minutes} min</text>`,
    `<polyline class="axis" points="${String(left)},${String(top + margin.label)} ${String(left)},${String(top + height)} ${String(left + width)},${String(top + height)}"/>`,
    `<polyline class="line" points="${path}"/>`,
  ].join('');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
