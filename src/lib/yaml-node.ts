/** What a YAML text consists of, before it is judged what its scalars mean. Offsets count UTF-16 units. */

export type YamlNode = YamlMapping | YamlList | YamlScalar;

export interface YamlMapping {
  readonly kind: "mapping";
  readonly offset: number;
  readonly items: readonly { readonly key: YamlNode; readonly value: YamlNode }[];
}

export interface YamlList {
  readonly kind: "list";
  readonly offset: number;
  readonly items: readonly YamlNode[];
}

export interface YamlScalar {
  readonly kind: "scalar";
  readonly offset: number;
  readonly text: string;
  /** Neither quoted nor a block: it may mean a number, true, false or nothing. */
  readonly plain: boolean;
}

/** Notes what is wrong at an offset; reading goes on. */
export type Objector = (offset: number, text: string, hint?: string) => void;

/** What ends the reading, for nothing behind it can be understood. */
export class YamlStop extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

/** A value that is left out. */
export function blank(offset: number): YamlScalar {
  return { kind: "scalar", offset, text: "", plain: true };
}

export function isBlank(node: YamlNode): boolean {
  return node.kind === "scalar" && node.plain && node.text === "";
}
