/**
 * What differs between two texts of YAML, as a room reads it: the lines that change, and of every part of the
 * file in which one does the others too. `threshold: 2` alone would not say whose threshold it is.
 */

/** A line as it stands in the one text, in the other, or in both. */
interface Line {
  readonly text: string;
  /** Index in the text before and after; null where it does not stand there. */
  readonly before: number | null;
  readonly after: number | null;
}

/**
 * Lines removed (`- `) and added (`+ `) between two texts, in order; where they lie below a key of the top
 * level, with the lines of that part which stay (two blanks).
 */
export function lineChanges(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  const lines = compare(a, b);
  const touched = touchedParts(lines, partsOf(a), partsOf(b));
  return lines.flatMap((line) => {
    if (line.after === null) return [`- ${line.text}`];
    if (line.before === null) return [`+ ${line.text}`];
    return touched(line) ? [`  ${line.text}`] : [];
  });
}

function compare(a: readonly string[], b: readonly string[]): readonly Line[] {
  // Longest common subsequence by dynamic programming: bindings have tens of lines, not thousands.
  const common = lcsTable(a, b);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = a[i];
    const y = b[j];
    if (x !== undefined && x === y) {
      lines.push({ text: x, before: i, after: j });
      i += 1;
      j += 1;
    } else if (
      y !== undefined &&
      (x === undefined || at(common, i, j + 1) >= at(common, i + 1, j))
    ) {
      lines.push({ text: y, before: null, after: j });
      j += 1;
    } else {
      lines.push({ text: x ?? "", before: i, after: null });
      i += 1;
    }
  }
  return lines;
}

/** Index of the line with the key of the top level that each line belongs to; -1 before the first. */
function partsOf(lines: readonly string[]): readonly number[] {
  let part = -1;
  return lines.map((line, index) => {
    if (/^[^\s#-][^#]*:(\s|$)/.test(line)) part = index;
    return part;
  });
}

/** Whether a line that stays is one of a part that changes, or that others join or leave. */
function touchedParts(
  lines: readonly Line[],
  partBefore: readonly number[],
  partAfter: readonly number[],
): (line: Line) => boolean {
  const touched = new Set<string>();
  const partsOfLine = ({ before, after }: Line): readonly string[] => [
    ...named("before", before === null ? -1 : (partBefore[before] ?? -1)),
    ...named("after", after === null ? -1 : (partAfter[after] ?? -1)),
  ];
  const isTouched = (line: Line): boolean =>
    isContent(line.text) && partsOfLine(line).some((part) => touched.has(part));
  for (const line of lines) {
    if ((line.before !== null && line.after !== null) || !isContent(line.text)) continue;
    for (const part of partsOfLine(line)) touched.add(part);
  }
  // A line that stays while its key goes is below another key from then on: that part is shown as well.
  for (let size = -1; size < touched.size;) {
    size = touched.size;
    for (const line of lines.filter(isTouched)) {
      for (const part of partsOfLine(line)) touched.add(part);
    }
  }
  return isTouched;
}

function named(text: string, part: number): readonly string[] {
  return part < 0 ? [] : [`${text} ${part}`];
}

function isContent(line: string): boolean {
  return /^\s*[^\s#]/.test(line);
}

function lcsTable(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const table: number[][] = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = table[i] ?? [];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] =
        a[i] === b[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
