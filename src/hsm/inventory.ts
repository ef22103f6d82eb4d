/**
 * All key objects of a token in one listing. On some tokens every search costs as much as the token
 * has objects, so whoever works on many keys lists once, keeps this map, and lists once more.
 */

import { hex, sha256Hex } from "../lib/encoding.ts";
import { encode, readAttributes, toJson, type Attributes } from "./attributes.ts";
import type { InventoryObject } from "./backup.ts";
import { CKO, type AttributeName } from "./constants.ts";
import type { Context } from "./objects.ts";
import { spkiOfAttributes } from "./public-key.ts";
import type { Handle } from "./raw.ts";

/** A listed object; the handle is good for the operation that listed, and no longer. */
export interface Listed extends InventoryObject {
  readonly handle: Handle;
  readonly spki: Uint8Array | undefined;
  /** Of RSA private objects. */
  readonly modulus: Uint8Array | undefined;
}

const CLASSES = [
  ["private", CKO.PRIVATE_KEY],
  ["public", CKO.PUBLIC_KEY],
  ["secret", CKO.SECRET_KEY],
] as const;

const NAMES: readonly AttributeName[] = ["KEY_TYPE", "LABEL", "ID", "TOKEN"];

// Attributes by class and kind of key, since asking for one too many costs a call for each.
const SHAPES: Readonly<
  Record<InventoryObject["objectClass"], readonly (readonly AttributeName[])[]>
> = {
  private: [
    [...NAMES, "EXTRACTABLE", "EC_PARAMS"],
    [...NAMES, "EXTRACTABLE", "MODULUS"],
    [...NAMES, "EXTRACTABLE"],
  ],
  public: [[...NAMES, "EC_PARAMS", "EC_POINT"], [...NAMES, "MODULUS", "PUBLIC_EXPONENT"], NAMES],
  secret: [[...NAMES, "EXTRACTABLE"]],
};

/** Every key object that the session sees, private ones first; or those of one class. */
export function listObjects(
  context: Context,
  only?: InventoryObject["objectClass"],
): readonly Listed[] {
  const classes = CLASSES.filter(([objectClass]) => only === undefined || objectClass === only);
  return classes.flatMap(([objectClass, number]) => {
    const reader = new ShapedReader(context, SHAPES[objectClass]);
    return context.module
      .findObjects(context.session, [encode("CLASS", number)])
      .map((handle) => listed(objectClass, handle, reader.read(handle)));
  });
}

/** Every object by handle, without a look at any: one search, whatever the number of classes. */
export function listHandles({ module, session }: Context): ReadonlySet<Handle> {
  return new Set(module.findObjects(session, []));
}

/** Reads objects that are mostly of one kind: what fitted the one before is tried first. */
class ShapedReader {
  readonly #context: Context;
  readonly #shapes: readonly (readonly AttributeName[])[];
  #last: readonly AttributeName[];

  constructor(context: Context, shapes: readonly (readonly AttributeName[])[]) {
    this.#context = context;
    this.#shapes = shapes;
    this.#last = shapes[0] ?? NAMES;
  }

  read(handle: Handle): Attributes {
    const { module, session } = this.#context;
    let best: Attributes = new Map();
    for (const shape of [this.#last, ...this.#shapes.filter((one) => one !== this.#last)]) {
      const attributes = readAttributes(module, session, handle, shape);
      if (attributes.size > best.size) best = attributes;
      if (attributes.size !== shape.length) continue;
      this.#last = shape;
      return attributes;
    }
    return best;
  }
}

function listed(
  objectClass: InventoryObject["objectClass"],
  handle: Handle,
  attributes: Attributes,
): Listed {
  const keyType = attributes.get("KEY_TYPE");
  const extractable = attributes.get("EXTRACTABLE");
  const modulus = attributes.get("MODULUS");
  const spki = objectClass === "public" ? spkiOfAttributes(attributes) : undefined;
  return {
    objectClass,
    handle,
    label: labelOf(attributes),
    ckaId: idOf(attributes),
    keyType: typeof keyType === "number" ? String(toJson("KEY_TYPE", keyType)) : "unknown",
    onToken: attributes.get("TOKEN") === true,
    spki,
    spkiSha256: spki === undefined ? undefined : sha256Hex(spki),
    extractable: typeof extractable === "boolean" ? extractable : undefined,
    modulus: typeof modulus === "object" ? modulus : undefined,
  };
}

function labelOf(attributes: Attributes): string {
  const label = attributes.get("LABEL");
  return typeof label === "string" ? label : "";
}

function idOf(attributes: Attributes): string {
  const id = attributes.get("ID");
  return typeof id === "object" ? hex(id) : "";
}
