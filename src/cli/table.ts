import { stripVTControlCharacters } from 'node:util';
import { plain, type Paint } from './paint.js';

/** Rows as columns of equal width, two spaces between, no white space at the ends of lines. Cells may be painted. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint = plain,
): string {
  // Not Math.max(...rows): a call takes some 100,000 arguments, and no more.
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, widthOf(row[column] ?? '')), title.length),
  );
  return [header.map((title) => paint('heading', title)), ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** What a terminal shows of it. */
function widthOf(cell: string): number {
  return cell.includes('\u001b') ? stripVTControlCharacters(cell).length : cell.length;
}
