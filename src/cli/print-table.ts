/** Prints rows under their headers, columns aligned; those that hold only numbers and shares stand to the right. */
export function printTable(headers: readonly string[], rows: readonly (readonly string[])[]): void {
  const isNumeric = headers.map((_, column) => rows.every((row) => /^[\d,.\s%+-]*$/.test(row[column] ?? '')));
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  for (const row of [headers, ...rows]) {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? '';
      return isNumeric[column] ? cell.padStart(width) : cell.padEnd(width);
    });
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}
