import type { Report } from './report.js';

const barHeight = 16;
const labelWidth = 260;
const barWidth = 420;

/** A bar chart of the report: a group per row, a bar per figure, on one logarithmic scale. */
export function chartOf({ title, unit, rows }: Pick<Report, 'title' | 'unit' | 'rows'>): string {
  const bars = rows.flatMap(({ what, figures }) =>
    Object.entries(figures)
      .filter(([column]) => column !== 'runs')
      .map(([column, value]) => ({ label: `${what}, ${column}`, value })),
  );
  const least = Math.min(...bars.map(({ value }) => Math.max(value, 0.01)));
  const most = Math.max(...bars.map(({ value }) => Math.max(value, 0.01)));
  const decades = Math.max(1, Math.log10(most / least));
  const lengthOf = (value: number): number =>
    Math.round(barWidth * (0.05 + (0.95 * Math.log10(Math.max(value, 0.01) / least)) / decades));
  const lines = bars.map(({ label, value }, at) => {
    const y = 40 + at * (barHeight + 4);
    const length = lengthOf(value);
    return [
      `<text x="${String(labelWidth - 8)}" y="${String(y + 12)}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${String(labelWidth)}" y="${String(y)}" width="${String(length)}" height="${String(barHeight)}" fill="#4078c0"/>`,
      `<text x="${String(labelWidth + length + 6)}" y="${String(y + 12)}">${value.toPrecision(3)}</text>`,
    ].join('');
  });
  const height = 56 + bars.length * (barHeight + 4);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(labelWidth + barWidth + 90)}" height="${String(height)}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="10" y="22" font-size="14">${escaped(title)} [${escaped(unit)}, logarithmic]</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
