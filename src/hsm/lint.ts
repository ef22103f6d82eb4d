/**
 * Objects that break our templates, by rule: each is a way by which keys have left tokens (Clulow
 * 2003; Bortolozzo, Centenaro, Focardi and Steel 2010).
 */

import type { LintFinding, LintKnowledge } from "./backup.ts";
import type { KeyInfo } from "./token.ts";

interface Rule {
  readonly name: string;
  readonly classes: readonly KeyInfo["objectClass"][];
  /** Whether an object breaks it. */
  readonly breaks: (key: KeyInfo, knowledge: LintKnowledge) => boolean;
  /** What is wrong, after "the … key". */
  readonly says: string;
}

const on = (key: KeyInfo, name: string): boolean => key.attributes[`CKA_${name}`] === true;
const off = (key: KeyInfo, name: string): boolean => key.attributes[`CKA_${name}`] === false;
const isKek = (key: KeyInfo): boolean => on(key, "WRAP") || on(key, "UNWRAP");

/** Every rule, in the order of the manual. */
export const LINT_RULES: readonly Rule[] = [
  {
    name: "wrap-and-decrypt",
    classes: ["secret"],
    breaks: (key) => on(key, "WRAP") && on(key, "DECRYPT"),
    says: "wraps and decrypts: it shows in the clear what it wraps",
  },
  {
    name: "unwrap-and-encrypt",
    classes: ["secret"],
    breaks: (key) => on(key, "UNWRAP") && on(key, "ENCRYPT"),
    says: "unwraps and encrypts: it imports keys of known value",
  },
  {
    name: "kek-with-other-use",
    classes: ["secret"],
    breaks: (key) => isKek(key) && ["SIGN", "VERIFY", "DERIVE"].some((use) => on(key, use)),
    says: "is a KEK and may sign, verify or derive as well",
  },
  {
    name: "extractable-kek",
    classes: ["secret"],
    breaks: (key) => isKek(key) && !off(key, "EXTRACTABLE"),
    says: "is a KEK and can be extracted, with everything it ever wrapped",
  },
  {
    name: "modifiable-kek",
    classes: ["secret"],
    breaks: (key) => isKek(key) && !off(key, "MODIFIABLE"),
    says: "is a KEK and can be changed: anybody who is logged in can add DECRYPT",
  },
  {
    name: "copyable-kek",
    classes: ["secret"],
    breaks: (key) => isKek(key) && on(key, "COPYABLE"),
    says: "is a KEK and can be copied, with weaker attributes",
  },
  {
    name: "foreign-kek",
    classes: ["secret"],
    breaks: (key, { keks }) => isKek(key) && keks !== undefined && !keks.includes(key.ckaId),
    says: "is a KEK that custody does not know",
  },
  {
    name: "public-secret",
    classes: ["private", "secret"],
    breaks: (key) => !on(key, "PRIVATE"),
    says: "is used and destroyed without any login",
  },
  {
    name: "readable-key",
    classes: ["private", "secret"],
    breaks: (key) => !on(key, "SENSITIVE"),
    says: "can be read in the clear",
  },
  {
    name: "extractable-private-key",
    classes: ["private"],
    breaks: (key, { backupDue }) =>
      !off(key, "EXTRACTABLE") && backupDue?.includes(key.ckaId) !== true,
    says: "can be extracted although no backup is due",
  },
  {
    name: "copyable-private-key",
    classes: ["private"],
    breaks: (key) => on(key, "COPYABLE"),
    says: "can be copied, with weaker attributes",
  },
  {
    name: "sign-and-decrypt",
    classes: ["private"],
    breaks: (key) => on(key, "SIGN") && on(key, "DECRYPT"),
    says: "signs and decrypts: one use is an oracle for the other",
  },
  {
    name: "unwrap-and-other-use",
    classes: ["private"],
    breaks: (key) => on(key, "UNWRAP") && ["SIGN", "DECRYPT"].some((use) => on(key, use)),
    says: "unwraps and signs or decrypts: what travels to it is not safe",
  },
  {
    name: "recovering-signature",
    classes: ["private"],
    breaks: (key) => on(key, "SIGN_RECOVER"),
    says: "makes raw signatures, which can be shaped into anything",
  },
  {
    name: "deriving-key",
    classes: ["private"],
    breaks: (key) => on(key, "DERIVE"),
    says: "derives keys, which escape every rule for this one",
  },
  {
    name: "encrypting-public-key",
    classes: ["public"],
    breaks: (key) => on(key, "ENCRYPT"),
    says: "encrypts: its private half decrypts somewhere",
  },
];

/** Uses that a token has to speak about: those by which keys leave it. Of COPYABLE PKCS#11 2.20 knows nothing yet. */
const USES: Readonly<Record<KeyInfo["objectClass"], readonly string[]>> = {
  private: ["SIGN", "DECRYPT", "UNWRAP", "DERIVE"],
  secret: ["WRAP", "UNWRAP", "ENCRYPT", "DECRYPT", "SIGN", "DERIVE"],
  public: ["ENCRYPT"],
};

/** Rules about one object at a time, then about what a token does not say and about pairs of names. */
export function lint(keys: readonly KeyInfo[], knowledge: LintKnowledge): readonly LintFinding[] {
  const broken = LINT_RULES.flatMap((rule) =>
    keys
      .filter((key) => rule.classes.includes(key.objectClass) && rule.breaks(key, knowledge))
      .map((key) => finding(rule.name, key, `the ${key.objectClass} key ${rule.says}`)),
  );
  return [...broken, ...unsaidUses(keys), ...sharedNames(keys)];
}

// Silence is no "no": without this the rules above would pass what was never answered.
function unsaidUses(keys: readonly KeyInfo[]): readonly LintFinding[] {
  return keys.flatMap((key) => {
    const unsaid = USES[key.objectClass].filter((use) => !on(key, use) && !off(key, use));
    if (unsaid.length === 0) return [];
    const says = `the token does not say whether the ${key.objectClass} key may ${unsaid.join(", ")}`;
    return [finding("unsaid-use", key, says)];
  });
}

// With two objects under one name nobody can say which of them is meant.
function sharedNames(keys: readonly KeyInfo[]): readonly LintFinding[] {
  const seen = new Set<string>();
  return keys.flatMap((key) => {
    const name = `${key.objectClass} ${key.ckaId}`;
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [finding("shared-id", key, `another ${key.objectClass} key has the same CKA_ID`)];
  });
}

function finding(rule: string, key: KeyInfo, says: string): LintFinding {
  const { objectClass, label, ckaId } = key;
  return { rule, objectClass, label, ckaId, says };
}
