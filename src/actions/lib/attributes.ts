/** Attributes as a token gave them back, in the form evidence has: a list, because names there are ours. */

import type { Json, JsonObject } from "../../lib/json.ts";

/** One attribute, by its CKA_* name. */
export interface Attribute extends JsonObject {
  readonly name: string;
  readonly value: Json;
}

export function attributeList(attributes: Readonly<Record<string, Json>>): readonly Attribute[] {
  return Object.entries(attributes).map(([name, value]) => ({ name, value }));
}
