/** Key objects on a token: listing them, and finding exactly the one that is meant. */

import { KeyriteError } from "../lib/errors.ts";
import { equalBytes, fromHex, hex } from "../lib/encoding.ts";
import {
  attributesToJson,
  encode,
  readAttributes,
  toJson,
  type Attributes,
  type AttributeValue,
} from "./attributes.ts";
import { CKO, type AttributeName } from "./constants.ts";
import { spkiForComparison } from "./public-key.ts";
import type { Handle, RawModule } from "./raw.ts";
import type { KeyInfo } from "./token.ts";

/** An open session of a module: what every operation on objects works in. */
export interface Context {
  readonly module: RawModule;
  readonly session: Handle;
}

const COMMON: readonly AttributeName[] = [
  "CLASS",
  "KEY_TYPE",
  "LABEL",
  "ID",
  "TOKEN",
  "PRIVATE",
  "DERIVE",
  "MODIFIABLE",
  "COPYABLE",
  "DESTROYABLE",
  "LOCAL",
  "KEY_GEN_MECHANISM",
];
const SECRECY: readonly AttributeName[] = [
  "SENSITIVE",
  "EXTRACTABLE",
  "ALWAYS_SENSITIVE",
  "NEVER_EXTRACTABLE",
  "WRAP_WITH_TRUSTED",
];

const CLASSES = [
  {
    objectClass: "private",
    number: CKO.PRIVATE_KEY,
    names: [
      ...COMMON,
      ...SECRECY,
      "SIGN",
      "SIGN_RECOVER",
      "DECRYPT",
      "UNWRAP",
      "ALWAYS_AUTHENTICATE",
      "MODULUS",
      "EC_PARAMS",
    ],
  },
  {
    objectClass: "public",
    number: CKO.PUBLIC_KEY,
    names: [
      ...COMMON,
      "TRUSTED",
      "VERIFY",
      "VERIFY_RECOVER",
      "ENCRYPT",
      "WRAP",
      "MODULUS_BITS",
      "MODULUS",
      "PUBLIC_EXPONENT",
      "EC_PARAMS",
      "EC_POINT",
    ],
  },
  {
    objectClass: "secret",
    number: CKO.SECRET_KEY,
    names: [
      ...COMMON,
      ...SECRECY,
      "TRUSTED",
      "VALUE_LEN",
      "ENCRYPT",
      "DECRYPT",
      "SIGN",
      "VERIFY",
      "WRAP",
      "UNWRAP",
    ],
  },
] as const satisfies readonly {
  readonly objectClass: KeyInfo["objectClass"];
  readonly number: number;
  readonly names: readonly AttributeName[];
}[];

/** Every key object the session can see, private ones first; of these classes, when any are named. */
export function listKeys(
  { module, session }: Context,
  classes?: readonly KeyInfo["objectClass"][],
): readonly KeyInfo[] {
  const wanted = CLASSES.filter(({ objectClass }) => classes?.includes(objectClass) !== false);
  return wanted.flatMap(({ objectClass, number, names }) =>
    module.findObjects(session, [encode("CLASS", number)]).map((object) => {
      const attributes = readAttributes(module, session, object, names);
      return keyInfo(objectClass, attributes);
    }),
  );
}

function keyInfo(objectClass: KeyInfo["objectClass"], attributes: Attributes): KeyInfo {
  const label = attributes.get("LABEL");
  const id = attributes.get("ID");
  const keyType = attributes.get("KEY_TYPE");
  return {
    objectClass,
    label: typeof label === "string" ? label : "",
    ckaId: typeof id === "object" ? hex(id) : "",
    keyType: typeof keyType === "number" ? String(toJson("KEY_TYPE", keyType)) : "unknown",
    attributes: attributesToJson(attributes),
  };
}

/** Handles of all objects of a class, or of any, with exactly this attribute value. */
export function findBy(
  { module, session }: Context,
  name: AttributeName,
  value: AttributeValue,
  objectClass?: number,
): readonly Handle[] {
  const template = [encode(name, value)];
  if (objectClass !== undefined) template.unshift(encode("CLASS", objectClass));
  return module.findObjects(session, template);
}

/**
 * The one private key object with this CKA_ID.
 * @throws KeyriteError hsm.object-missing when there is none or more than one: with two, nobody can
 * say which of them would sign.
 */
export function onePrivateKey(context: Context, ckaId: string): Handle {
  const found = findBy(context, "ID", idBytes(ckaId), CKO.PRIVATE_KEY);
  const [object] = found;
  if (object !== undefined && found.length === 1) return object;
  const count = found.length === 0 ? "no private key" : `${found.length} private keys`;
  throw new KeyriteError("hsm.object-missing", `the token holds ${count} with CKA_ID ${ckaId}`, {
    hints: ["`keyrite hsm inspect` lists the objects", "compare them with `keyrite status`"],
  });
}

/**
 * Refuses when a public object on the token, under this CKA_ID, is another key than the recorded
 * one: then the private object is not the recorded key either.
 * @throws KeyriteError hsm.object-missing
 */
export function refuseForeignPublicKey(context: Context, ckaId: string, spki: Uint8Array): void {
  const { module, session } = context;
  for (const object of findBy(context, "ID", idBytes(ckaId), CKO.PUBLIC_KEY)) {
    const found = spkiForComparison(
      readAttributes(module, session, object, [
        "KEY_TYPE",
        "MODULUS",
        "PUBLIC_EXPONENT",
        "EC_PARAMS",
        "EC_POINT",
      ]),
    );
    if (found !== undefined && equalBytes(found, spki)) continue;
    throw new KeyriteError(
      "hsm.object-missing",
      `the public key with CKA_ID ${ckaId} on the token is not the recorded one`,
      { hints: ["the token or the object was exchanged: stop and inspect it"] },
    );
  }
}

/**
 * Refuses a name that is taken. Any object counts, also a certificate: names that mean two things get
 * mixed up later.
 * @throws KeyriteError hsm.object-exists
 */
export function refuseTaken(context: Context, label: string, ckaId: string): void {
  const taken =
    findBy(context, "ID", idBytes(ckaId)).length > 0
      ? `CKA_ID ${ckaId}`
      : findBy(context, "LABEL", label).length > 0
        ? `the label ${label}`
        : undefined;
  if (taken === undefined) return;
  throw new KeyriteError("hsm.object-exists", `an object on the token has ${taken} already`, {
    hints: ["choose another label, or inspect what is there with `keyrite hsm inspect`"],
  });
}

/** Destroys what a failing operation made; the failure before this one is what people must see. */
export function destroyQuietly({ module, session }: Context, object: Handle): boolean {
  try {
    module.destroyObject(session, object);
    return true;
  } catch {
    return false;
  }
}

/** Bytes of a CKA_ID in hex. @throws KeyriteError internal.bug for anything else. */
export function idBytes(ckaId: string): Uint8Array {
  const id = fromHex(ckaId);
  if (id === undefined || id.length === 0) {
    throw new KeyriteError("internal.bug", `CKA_ID ${ckaId} is not hex`);
  }
  return id;
}
