/** JSON of values that hold maps and sets: for what a program writes down for itself to read again. */

const MAP = "$map";
const SET = "$set";

/** @param value plain data, maps and sets, of whatever depth; members that are undefined are left out. */
export function formatTagged(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Map) return { [MAP]: [...(part as ReadonlyMap<unknown, unknown>)] };
    if (part instanceof Set) return { [SET]: [...(part as ReadonlySet<unknown>)] };
    return part;
  });
}

/** What `formatTagged` wrote. @throws SyntaxError for what is not JSON */
export function parseTagged(text: string): unknown {
  return JSON.parse(text, (_, part: unknown) => {
    if (typeof part !== "object" || part === null) return part;
    const [member, ...more] = Object.entries(part);
    if (member === undefined || more.length > 0 || !Array.isArray(member[1])) return part;
    if (member[0] === MAP) return new Map(member[1] as [unknown, unknown][]);
    return member[0] === SET ? new Set(member[1] as unknown[]) : part;
  });
}
