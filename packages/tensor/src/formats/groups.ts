/** A group's number among all, and where its values start and end. */
export type VisitGroup = (at: number, from: number, end: number) => void;

/** Every group of every row; the last of a row may be shorter. */
export function eachGroup(rows: number, columns: number, width: number, visit: VisitGroup): void {
  let at = 0;
  for (let row = 0; row < rows; row++)
    for (let from = row * columns; from < (row + 1) * columns; from += width)
      visit(at++, from, Math.min(from + width, (row + 1) * columns));
}
