/**
 * What is in use of zod, name by name: all of it, with messages in forty languages, would be loaded at every
 * start.
 */

export {
  array,
  boolean,
  config,
  discriminatedUnion,
  enum,
  int,
  json,
  literal,
  object,
  partialRecord,
  record,
  strictObject,
  string,
  toJSONSchema,
  union,
  ZodEnum,
  ZodObject,
  ZodRecord,
  type core,
  type infer,
  type output,
  type ZodType,
} from "zod";
