/**
 * The notation of schemas, in the words that zod made common: `z.strictObject({ days: z.int().min(1) })`.
 * Our own, for what it says needs no translation and every start loads it (docs/dependencies.md).
 */

export type { Schema } from "./shape.ts";
export { boolean, int, json, literal, oneOf as enum, string } from "./shape-values.ts";
export {
  array,
  object,
  partialRecord,
  record,
  strictObject,
  type Infer as infer,
} from "./shape-parts.ts";
export { discriminatedUnion, union } from "./shape-unions.ts";
