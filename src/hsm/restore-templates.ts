/**
 * What a key must be that came out of a backup: a CA key as it is after locking, except that no token
 * says of it that it was born there. All of it is read back.
 */

import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { attributesToJson, type AttributeValue } from "./attributes.ts";
import type { AttributeName } from "./constants.ts";
import { idBytes } from "./objects.ts";
import type { KeyForm } from "./recorded-key.ts";
import { purposeTemplates, type TemplateEntry } from "./templates.ts";

export interface RestoredName {
  readonly label: string;
  readonly ckaId: string;
}

export interface RestoreTemplates {
  readonly privateKey: readonly TemplateEntry[];
  readonly publicKey: readonly TemplateEntry[];
}

/**
 * Templates of both halves of a key that is unwrapped.
 * @param onToken false for a copy that ends with its session.
 */
export function restoreTemplates(
  { label, ckaId }: RestoredName,
  key: KeyForm,
  onToken: boolean,
): RestoreTemplates {
  const names = [
    asked("LABEL", label, "how operators call the key"),
    asked("ID", idBytes(ckaId), "finds the key again after a crash"),
    asked("KEY_TYPE", key.facts.keyType, "the recorded algorithm"),
    asked("TOKEN", onToken, "a drill copy or proof ends with its session"),
  ];
  return {
    privateKey: [...names, ...PRIVATE_ENTRIES, ...privateValues(key)],
    publicKey: [
      ...names,
      ...PUBLIC_ENTRIES,
      ...key.values.map(([name, value]) => asked(name, value, "the recorded public key")),
    ],
  };
}

/** Attributes by CKA_* name, as they stand in evidence. */
export type StatedAttributes = ReturnType<typeof attributesToJson>;

/** What both halves of a restored key must be, without what names or makes up the one key. */
export function restoredAttributes(algorithm: KeyAlgorithm): {
  readonly private: StatedAttributes;
  readonly public: StatedAttributes;
} {
  const shared = [
    asked("KEY_TYPE", ALGORITHMS[algorithm].keyType, "the recorded algorithm"),
    asked("TOKEN", true, "it outlives the session"),
  ];
  const stated = (entries: readonly TemplateEntry[]): StatedAttributes =>
    attributesToJson(new Map([...shared, ...entries].map(({ name, value }) => [name, value])));
  return { private: stated(PRIVATE_ENTRIES), public: stated(PUBLIC_ENTRIES) };
}

/** The attributes of a key that read back exactly as it was asked for; a copy has no public object. */
export function exactAttributes(
  name: RestoredName,
  key: KeyForm,
  onToken: boolean,
): { readonly privateKey: StatedAttributes; readonly publicKey: StatedAttributes } {
  const { privateKey, publicKey } = restoreTemplates(name, key, onToken);
  const json = (entries: readonly TemplateEntry[]): StatedAttributes =>
    attributesToJson(new Map(entries.map(({ name: attribute, value }) => [attribute, value])));
  return { privateKey: json(privateKey), publicKey: onToken ? json(publicKey) : {} };
}

/** What is different after C_UnwrapKey or C_CreateObject (PKCS#11 2.40 §5.13, §4.9). */
const UNWRAPPED: Partial<
  Record<AttributeName, (entry: TemplateEntry) => readonly TemplateEntry[]>
> = {
  TOKEN: () => [],
  CLASS: (entry) => [{ ...entry, role: "asked" }],
  LOCAL: () => [expected("LOCAL", false, "the record, not the token, proves its origin")],
  ALWAYS_SENSITIVE: () => [
    expected("ALWAYS_SENSITIVE", false, "the token cannot know what it was elsewhere"),
  ],
  NEVER_EXTRACTABLE: () => [
    expected("NEVER_EXTRACTABLE", false, "it was extracted, or there would be no backup"),
  ],
};

function afterUnwrap(entry: TemplateEntry): readonly TemplateEntry[] {
  return UNWRAPPED[entry.name]?.(entry) ?? [entry];
}

const BORN = purposeTemplates("ca-signing", false);
const PRIVATE_ENTRIES: readonly TemplateEntry[] = BORN.privateKey.flatMap(afterUnwrap);
const PUBLIC_ENTRIES: readonly TemplateEntry[] = BORN.publicKey.flatMap(afterUnwrap);

// The token takes these from the wrapped key; an EC private object gives its curve only.
function privateValues({ facts, values }: KeyForm): readonly TemplateEntry[] {
  return values.flatMap(([name, value]) => {
    if (name === "EC_POINT") return [];
    const entry = expected(name, value, "the recorded public key");
    return facts.family === "ed25519" ? [{ ...entry, alternative: facts.paramsByName }] : [entry];
  });
}

function asked(name: AttributeName, value: AttributeValue, why: string): TemplateEntry {
  return { name, value, why, role: "asked" };
}

function expected(name: AttributeName, value: AttributeValue, why: string): TemplateEntry {
  return { name, value, why, role: "expected" };
}
