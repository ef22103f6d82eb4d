/**
 * What a key of each purpose must be, as data: every attribute explicit, each with its reason.
 * Defaults of modules differ and some are dangerous, so nothing is left to them; all of it is read
 * back after generation.
 */

import { ALGORITHMS, type AlgorithmFacts } from "./algorithms.ts";
import type { AttributeValue } from "./attributes.ts";
import { CKO, type AttributeName } from "./constants.ts";
import { idBytes } from "./objects.ts";
import type { GenerateRequest, KeyPurpose } from "./token.ts";

export interface TemplateEntry {
  readonly name: AttributeName;
  readonly value: AttributeValue;
  /** Why this value, in words for `docs/hsm.md`. */
  readonly why: string;
  /** `asked` goes into the template; `expected` is set by the token alone and only compared. */
  readonly role: "asked" | "expected";
  /** A second form of the same value that the token may answer with. */
  readonly alternative?: AttributeValue;
}

export interface KeyPairTemplates {
  readonly mechanism: number;
  readonly publicKey: readonly TemplateEntry[];
  readonly privateKey: readonly TemplateEntry[];
}

/** F4, the only exponent we generate with (BR 6.1.6: odd, at least 2^16 + 1). */
export const RSA_PUBLIC_EXPONENT = Uint8Array.of(0x01, 0x00, 0x01);

/**
 * The templates for one generation request.
 * @throws KeyriteError internal.bug when the CKA_ID is not hex or empty.
 */
export function templatesFor(request: GenerateRequest): KeyPairTemplates {
  const facts = ALGORITHMS[request.algorithm];
  const names = [
    asked("LABEL", request.label, "how operators call the key"),
    asked(
      "ID",
      idBytes(request.ckaId),
      "chosen and recorded before the call, finds the key again after a crash",
    ),
  ];
  const use = purposeTemplates(request.purpose, request.extractable);
  return {
    mechanism: facts.generate,
    publicKey: [...names, ...use.publicKey, ...publicShape(facts)],
    privateKey: [...names, ...use.privateKey, ...privateShape(facts)],
  };
}

/** What both halves are for, without name and shape. */
export function purposeTemplates(
  purpose: KeyPurpose,
  extractable: boolean,
): Omit<KeyPairTemplates, "mechanism"> {
  const { publicUse, privateUse } = PURPOSES[purpose];
  return { publicKey: publicUse(extractable), privateKey: privateUse(extractable) };
}

type Use = (extractable: boolean) => readonly TemplateEntry[];

const PURPOSES: Readonly<
  Record<KeyPurpose, { readonly publicUse: Use; readonly privateUse: Use }>
> = {
  "ca-signing": { publicUse: caSigningPublic, privateUse: caSigningPrivate },
  transport: { publicUse: transportPublic, privateUse: transportPrivate },
};

function caSigningPrivate(extractable: boolean): readonly TemplateEntry[] {
  return [
    expected("CLASS", CKO.PRIVATE_KEY, "it is the private half"),
    asked("TOKEN", true, "it outlives the session"),
    asked("PRIVATE", true, "nobody sees or uses it without the user PIN"),
    asked("SENSITIVE", true, "its value is never shown in the clear"),
    asked(
      "EXTRACTABLE",
      extractable,
      "true only until the wrapped backup is made and the key is locked",
    ),
    asked("SIGN", true, "a CA key signs"),
    asked("SIGN_RECOVER", false, "a raw RSA signature could be shaped into anything"),
    asked("DECRYPT", false, "a signing key that decrypts is an oracle, and opens wrapped keys"),
    asked("UNWRAP", false, "a key that unwraps brings foreign keys into the token"),
    asked("DERIVE", false, "derived keys escape every rule for this one"),
    asked("ALWAYS_AUTHENTICATE", false, "the PIN is wiped after login, there is none to repeat"),
    asked("WRAP_WITH_TRUSTED", false, "trusted KEKs do not exist on every module; custody decides"),
    asked(
      "MODIFIABLE",
      extractable,
      "locking sets EXTRACTABLE to false later; a key born locked never changes",
    ),
    asked("COPYABLE", false, "a copy could carry weaker attributes"),
    asked("DESTROYABLE", true, "a CA key is destroyed at the end of its life, on record"),
    expected("LOCAL", true, "it was born in this token, not imported"),
    expected("ALWAYS_SENSITIVE", true, "it was never readable, not even for a moment"),
    expected("NEVER_EXTRACTABLE", !extractable, "tells a key born locked from one locked later"),
  ];
}

function caSigningPublic(extractable: boolean): readonly TemplateEntry[] {
  return [
    expected("CLASS", CKO.PUBLIC_KEY, "it is the public half"),
    asked("TOKEN", true, "it outlives the session"),
    asked("PRIVATE", false, "anybody may compare it with the record, without a login"),
    asked("VERIFY", true, "the counterpart of SIGN"),
    asked("VERIFY_RECOVER", false, "the counterpart of SIGN_RECOVER"),
    asked("ENCRYPT", false, "nothing is encrypted to a CA key"),
    asked("WRAP", false, "nothing is wrapped to a CA key"),
    asked("DERIVE", false, "the counterpart of the private DERIVE"),
    asked("MODIFIABLE", extractable, "as its private half"),
    asked("COPYABLE", false, "as its private half"),
    asked("DESTROYABLE", true, "it goes with its private half"),
    expected("LOCAL", true, "it was born in this token with its private half"),
  ];
}

/** A transport key opens envelopes; whatever else a CA key may do, it may not. */
function transportPrivate(extractable: boolean): readonly TemplateEntry[] {
  return replaced(caSigningPrivate(extractable), [
    asked("SIGN", false, "a transport key signs nothing"),
    asked("DECRYPT", false, "one that decrypts gives a KEK away in the clear"),
    asked("UNWRAP", true, "a transport key opens the envelopes of KEKs"),
  ]);
}

function transportPublic(extractable: boolean): readonly TemplateEntry[] {
  return replaced(caSigningPublic(extractable), [
    asked("VERIFY", false, "a transport key signs nothing"),
    asked("WRAP", true, "KEKs are wrapped to a transport key"),
  ]);
}

/** The entries, with others in the place of those of the same name. */
function replaced(
  entries: readonly TemplateEntry[],
  others: readonly TemplateEntry[],
): readonly TemplateEntry[] {
  return entries.map((entry) => others.find(({ name }) => name === entry.name) ?? entry);
}

function publicShape(facts: AlgorithmFacts): readonly TemplateEntry[] {
  const shape = shapeOf(facts);
  if (facts.family !== "rsa") return shape;
  return [
    ...shape,
    asked("MODULUS_BITS", facts.modulusBits, "the strength that the script asks for"),
    asked("PUBLIC_EXPONENT", RSA_PUBLIC_EXPONENT, "65537: smaller ones invite known attacks"),
  ];
}

// In a generation template the curve stands in the public half only (PKCS#11 2.40 §2.3.5).
function privateShape(facts: AlgorithmFacts): readonly TemplateEntry[] {
  return shapeOf(facts).map((entry) => ({ ...entry, role: "expected" }));
}

function shapeOf(facts: AlgorithmFacts): readonly TemplateEntry[] {
  const origin = [
    expected("KEY_TYPE", facts.keyType, "the algorithm that the script asks for"),
    expected("KEY_GEN_MECHANISM", facts.generate, "how the token says it made the key"),
  ];
  const curve = "the curve that the script asks for";
  switch (facts.family) {
    case "rsa":
      return origin;
    case "ec":
      return [...origin, asked("EC_PARAMS", facts.params, curve)];
    case "ed25519":
      return [
        ...origin,
        { ...asked("EC_PARAMS", facts.params, curve), alternative: facts.paramsByName },
      ];
  }
}

function asked(name: AttributeName, value: AttributeValue, why: string): TemplateEntry {
  return { name, value, why, role: "asked" };
}

function expected(name: AttributeName, value: AttributeValue, why: string): TemplateEntry {
  return { name, value, why, role: "expected" };
}
