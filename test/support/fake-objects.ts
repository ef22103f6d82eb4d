/** Objects of the fake module: their attributes, what they hold, and how long they live. */

import type { KeyObject } from "node:crypto";
import { encode, type AttributeValue } from "../../src/hsm/attributes.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { CKA, type AttributeName } from "../../src/hsm/constants.ts";
import type { Handle, RawAttribute, RawTemplate } from "../../src/hsm/raw.ts";
import { equalBytes } from "../../src/lib/encoding.ts";

export type Values = Map<number, Uint8Array>;

export interface FakeObject {
  readonly values: Values;
  /** Of private objects, and of public ones that wrap. */
  readonly key: KeyObject | undefined;
  /** The session it ends with, unless it is a token object. */
  readonly session: Handle | undefined;
  /** What a template of an object that it unwraps must say. */
  readonly unwrapTemplate: readonly RawAttribute[];
}

export class FakeObjects {
  readonly #objects = new Map<Handle, FakeObject>();
  #next = 1n;

  /** A number that was never given out before: handles and sessions share it. */
  fresh(): Handle {
    this.#next += 1n;
    return this.#next;
  }

  add(object: FakeObject): Handle {
    const handle = this.fresh();
    this.#objects.set(handle, object);
    return handle;
  }

  find(template: readonly RawAttribute[], seesPrivate: boolean): readonly Handle[] {
    return [...this.#objects]
      .filter(([, { values }]) => seesPrivate || !isSet(values, "PRIVATE"))
      .filter(([, { values }]) => template.every((entry) => holds(values, entry)))
      .map(([handle]) => handle);
  }

  get(call: string, handle: Handle, seesPrivate: boolean): FakeObject {
    const object = this.#objects.get(handle);
    const hidden = object !== undefined && isSet(object.values, "PRIVATE") && !seesPrivate;
    if (object === undefined || hidden) throw ckrError(call, 0x82);
    return object;
  }

  remove(handle: Handle): void {
    this.#objects.delete(handle);
  }

  endSession(session: Handle): void {
    for (const [handle, object] of this.#objects) {
      if (object.session === session) this.#objects.delete(handle);
    }
  }

  clear(): void {
    this.#objects.clear();
  }
}

export function toValues(attributes: readonly RawAttribute[]): Values {
  return new Map(attributes.map(({ type, value }) => [type, value]));
}

export function isSet(values: Values, name: AttributeName): boolean {
  return values.get(CKA[name].type)?.[0] === 1;
}

export function set(values: Values, name: AttributeName, value: AttributeValue): void {
  const attribute = encode(name, value);
  values.set(attribute.type, attribute.value);
}

export function holds(values: Values, { type, value }: RawAttribute): boolean {
  const own = values.get(type);
  return own !== undefined && equalBytes(own, value);
}

/** The flat attributes of a template, and the nested one. */
export function split(template: RawTemplate): {
  readonly flat: readonly RawAttribute[];
  readonly nested: readonly RawAttribute[];
} {
  return {
    flat: template.filter((entry) => "value" in entry),
    nested: template.flatMap((entry) => ("nested" in entry ? entry.nested : [])),
  };
}
