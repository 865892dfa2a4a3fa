import { stripVTControlCharacters } from 'node:util';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * The beginning of a text, as much as a terminal shows at a time, and what is not shown. A line that is too wide takes several rows;
 * the last row is the cursor's.
 */
export function fitted(text: string, { rows, columns }: TerminalSize): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const heights = lines.map((line) => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)));
  const room = rows - 1;
  if (heights.reduce((sum, height) => sum + height, 0) <= room) return text;
  const noticeOf = (more: number): string =>
    `… ${String(more)} more ${more === 1 ? 'row' : 'rows'}; make the terminal larger, or see docker-discover explain SERVICE`;
  const left = room - Math.ceil(noticeOf(lines.length).length / columns);
  let [shown, height] = [0, 0];
  while (shown < lines.length && height + (heights[shown] ?? 0) <= left) {
    height += heights[shown] ?? 0;
    shown += 1;
  }
  return `${[...lines.slice(0, shown), noticeOf(lines.length - shown)].join('\n')}\n`;
}
