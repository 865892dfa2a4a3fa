/** Rows as columns of equal width, two spaces between, no white space at the ends of lines. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  // Not Math.max(...rows): a call takes some 100,000 arguments, and no more.
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), title.length),
  );
  return [header, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
