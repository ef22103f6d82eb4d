/**
 * Records that the vendor's own tools cloned a key to another token. It counts once the key is found there
 * and signs a challenge that the recorded public key verifies.
 */

import { defineAction } from "../ceremony/action.ts";
import { condition, tokenIsActive } from "../ceremony/conditions.ts";
import { keysAreOn } from "../ceremony/conditions-copies.ts";
import type { Custody } from "../ceremony/custody.ts";
import { keysNamed, type NamedKey } from "../ceremony/key-choice.ts";
import { label } from "../ceremony/words.ts";
import { schemeFor } from "../lib/algorithms.ts";
import { concat, hex, sha256Hex, utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { KeyInfo, Session } from "../hsm/token.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { attributeList, type Attribute } from "./lib/attributes.ts";
import { publicKeyOf } from "./lib/key-lists.ts";

/** Begins what is signed, so that the signature can be nothing else. */
const CHALLENGE = "keyrite/native-backup/v1\n";

const params = () => z.strictObject({ from: label, to: label, key: label });
type Params = z.infer<ReturnType<typeof params>>;

interface Asked extends JsonObject {
  readonly spki: string;
  readonly ckaId: string;
  readonly serial: string;
}
interface Proved extends Asked {
  /** SHA-256 of what was signed. */
  readonly challenge: string;
  readonly privateAttributes: readonly Attribute[];
}

export const recordNativeBackup = defineAction<Params, Asked, Proved>({
  name: "record-native-backup",
  control: "dual",
  params,
  facts: ["key.cloned"],
  instruction: (p) =>
    `Record that key ${p.key} was cloned from token ${p.from} to token ${p.to} by the vendor's tools, and have the copy sign a challenge.`,
  requires: (p) => [
    tokenIsActive(p.to),
    keysAreOn(p.from, p.key, "key"),
    condition("to", () => p.from === p.to && "a key is cloned from one token to another"),
    condition(
      "key",
      ({ custody }) =>
        custody.copies.get(keyOf(custody, p)?.spki ?? "")?.tokens.has(p.to) === true &&
        `key ${p.key} is on token ${p.to} already by then`,
    ),
  ],
  forecast: (p, custody) => ({
    spki: keyOf(custody, p)?.spki ?? sha256Hex("planned"),
    ckaId: "00",
    ...{ serial: "", challenge: "", privateAttributes: [] },
  }),
  establishes: (p, { spki, ckaId }) => [
    { kind: "key.cloned", spki, from: p.from, to: p.to, label: p.key, ckaId, method: "native" },
  ],
  admits: (p, subject, fact) =>
    fact.kind === "key.cloned" &&
    fact.method === "native" &&
    fact.from === p.from &&
    fact.to === p.to &&
    fact.label === p.key &&
    fact.spki === subject.spki &&
    fact.ckaId === subject.ckaId,
  async subject(p, room) {
    const { spki } = requireKey(room.custody, p);
    const session = room.tokens.session(p.to);
    const found = (await session.inventory()).filter(
      (object) => object.objectClass === "public" && object.onToken && object.spkiSha256 === spki,
    );
    const copy = theOnly(found, p, `public objects of key ${p.key}`);
    await lockedCopy(session, p, copy.ckaId);
    const { serial } = session.info;
    return {
      data: { spki, ckaId: copy.ckaId, serial },
      shown: [
        `Key ${p.key} on token ${p.to}, serial ${visible(serial)}: CKA_ID ${copy.ckaId}, label ${visible(copy.label)}.`,
        `Public key, SHA-256 ${spki}, as recorded when it was generated on token ${p.from}.`,
        "The copy reads as sensitive, and as not extractable.",
      ],
    };
  },
  async run(p, room, { subject }) {
    const { spki, ckaId } = subject;
    const session = room.tokens.session(p.to);
    const attributes = await lockedCopy(session, p, ckaId);
    const message = concat(utf8(CHALLENGE), utf8(hex(room.random.bytes(32))));
    const scheme = schemeFor(requireKey(room.custody, p).algorithm);
    await session.signAll([{ spki: publicKeyOf(room, spki), ckaId, scheme, message }]);
    room.console.tell(`Key ${p.key} on token ${p.to} signed a challenge: it is the recorded key.`);
    const challenge = sha256Hex(message);
    return { ...subject, challenge, privateAttributes: attributeList(attributes) };
  },
  settle: () =>
    Promise.resolve({
      shown: ["Recording changes nothing on a token: the copy signs another challenge."],
      data: {},
      choices: ["finish"],
    }),
});

/**
 * The attributes of the copy's private half. Custody takes a cloned key for one that cannot leave its token, and
 * nobody here made this one: it is what the vendor's tools made of it.
 * @throws KeyriteError hsm.object-missing, hsm.attribute-differs
 */
async function lockedCopy(
  session: Session,
  { key, to }: Params,
  ckaId: string,
): Promise<KeyInfo["attributes"]> {
  const found = (await session.keys()).filter(
    (one) => one.objectClass === "private" && one.ckaId === ckaId,
  );
  const { attributes } = theOnly(found, { to }, `private objects with CKA_ID ${ckaId}`);
  if (attributes["CKA_SENSITIVE"] === true && attributes["CKA_EXTRACTABLE"] === false) {
    return attributes;
  }
  throw new KeyriteError(
    "hsm.attribute-differs",
    `key ${key} on token ${to} can leave it: CKA_SENSITIVE reads ${said(attributes["CKA_SENSITIVE"])}, CKA_EXTRACTABLE ${said(attributes["CKA_EXTRACTABLE"])}`,
    {
      hints: [
        "take the copy away, lock the key on its token with lock-key, and clone it once more",
        "what could be taken out of the token meanwhile, nobody can tell",
      ],
    },
  );
}

/** @throws KeyriteError hsm.object-missing unless there is exactly one */
function theOnly<T>(found: readonly T[], { to }: Pick<Params, "to">, what: string): T {
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  throw new KeyriteError(
    "hsm.object-missing",
    `token ${to} holds ${found.length} ${what}, not one`,
    { hints: ["clone the key with the vendor's tools first, both halves of it"] },
  );
}

function said(value: Json | undefined): string {
  return value === undefined ? "as nothing" : `as ${JSON.stringify(value)}`;
}

function keyOf(custody: Custody, p: Params): NamedKey | undefined {
  const choice = keysNamed(custody, p.from, p.key);
  return choice.ok ? choice.keys[0] : undefined;
}

function requireKey(custody: Custody, p: Params): NamedKey {
  const key = keyOf(custody, p);
  if (key !== undefined) return key;
  throw new KeyriteError("script.refused", `key ${p.key} is not on token ${p.from}`);
}
