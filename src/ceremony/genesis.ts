/**
 * The genesis of a site: origin, assurance, policy digest, ledger key and the founders' cards. Its
 * digest, on a sheet signed in ink, is where an auditor's trust starts.
 */

import { parseTimestamp } from "../lib/clock.ts";
import { canonicalJson, isCanonicalText, type Json, type JsonObject } from "../lib/json.ts";
import { fromUtf8, sha256Hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { z } from "../lib/schema.ts";
import { parseCard, shareAKey, type Card } from "../people/card.ts";
import { digest, role, slug } from "./words.ts";

export type Assurance = "production" | "test";

/** Origin of a site: schema-less URL, `<organisation's domain>/<site>`; test sites end in `/test`. */
export const originSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(\/[a-z0-9][a-z0-9-]*)+$/,
    'must look like "pki.example.org/dc1" in lower case',
  )
  .refine(
    (o) => !/^(keyrite|cosignature)/.test(o),
    'must not begin with "keyrite" or "cosignature"',
  );

const genesisSchema = z.strictObject({
  keyrite: z.literal("genesis/v1"),
  origin: originSchema,
  assurance: z.enum(["production", "test"]),
  created: z.string(),
  policy: digest,
  ledgerKey: z.string(),
  founders: z
    .array(
      z.strictObject({
        person: slug,
        roles: z.array(role).min(1),
        card: z.record(z.string(), z.json()),
      }),
    )
    .min(2),
});

export interface Founder {
  readonly person: string;
  readonly roles: readonly z.infer<typeof role>[];
  readonly card: Card;
}

export interface Genesis {
  readonly origin: string;
  readonly assurance: Assurance;
  readonly created: string;
  readonly policy: string;
  /** C2SP verifier key of the ledger. */
  readonly ledgerKey: string;
  readonly founders: readonly Founder[];
  /** SHA-256 of the exact bytes of genesis.json. */
  readonly sha256: string;
}

/** The bytes of genesis.json: canonical JSON, so that one genesis has one digest. */
export function writeGenesis(genesis: Omit<Genesis, "sha256">): Uint8Array {
  const document: JsonObject = {
    keyrite: "genesis/v1",
    origin: genesis.origin,
    assurance: genesis.assurance,
    created: genesis.created,
    policy: genesis.policy,
    ledgerKey: genesis.ledgerKey,
    founders: genesis.founders.map((founder) => ({
      person: founder.person,
      roles: [...founder.roles],
      card: cardJson(founder.card),
    })),
  };
  return utf8(canonicalJson(document));
}

function cardJson(card: Card): JsonObject {
  return { ...card };
}

/**
 * Reads genesis.json, refusing one key under two names, identities of another assurance, and anything
 * but canonical JSON: two readers of one digest must not see two founders' lists.
 * @throws KeyriteError ledger.damaged, people.same-person; usage.bad-file for a refused card
 */
export function readGenesis(bytes: Uint8Array): Genesis {
  const parsed = genesisSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    throw new KeyriteError("ledger.damaged", "genesis.json is not a valid genesis", {
      hints: parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`),
    });
  }
  const founders = parsed.data.founders.map((founder) => ({
    person: founder.person,
    roles: founder.roles,
    card: parseCard(utf8(canonicalJson(founder.card))),
  }));
  const genesis: Genesis = { ...parsed.data, founders, sha256: sha256Hex(bytes) };
  const problem = whyRefused(genesis);
  if (problem !== undefined) {
    throw new KeyriteError("ledger.damaged", `genesis.json is refused: ${problem}`, {
      hints: [
        "compare it with the signed genesis sheet, and put back the file that keyrite init made",
      ],
    });
  }
  refuseSharedKeys(founders.map((founder) => founder.card));
  return genesis;
}

/** What the schema cannot say of a genesis, in words that follow "genesis.json is refused:". */
function whyRefused({ origin, assurance, created, ledgerKey, founders }: Genesis) {
  if (assuranceOf(origin) !== assurance) {
    return `its assurance is ${assurance}, but exactly test sites have an origin that ends in /test`;
  }
  if (parseTimestamp(created) === undefined) return "created is not a time";
  for (const { person, card } of founders) {
    if (card.person !== person) return `the founder "${person}" has the card of "${card.person}"`;
    if (card.assurance !== assurance) {
      return `the identity of ${person} is of ${card.assurance} assurance, the site of ${assurance}`;
    }
  }
  return whyLedgerKeyRefused(ledgerKey, origin);
}

function whyLedgerKeyRefused(ledgerKey: string, origin: string): string | undefined {
  try {
    const { name, type } = parseVerifierKey(ledgerKey);
    if (name !== origin) return `the ledger key is named ${name}, not ${origin}`;
    return type === "ed25519" ? undefined : `the ledger key is of type ${type}`;
  } catch (error) {
    return `the ledger key: ${messageOf(error)}`;
  }
}

/** The assurance of a site follows from its origin, for ever. */
export function assuranceOf(origin: string): Assurance {
  return origin.endsWith("/test") ? "test" : "production";
}

function parseJson(bytes: Uint8Array): Json {
  let text: string;
  let value: Json;
  try {
    text = fromUtf8(bytes);
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new KeyriteError("ledger.damaged", "genesis.json is not JSON", { cause });
  }
  if (isCanonicalText(value, text)) return value;
  throw new KeyriteError("ledger.damaged", "genesis.json is not canonical JSON (RFC 8785)");
}

/**
 * One signing or age key under two names would let one person count twice.
 * @throws KeyriteError people.same-person
 */
export function refuseSharedKeys(cards: readonly Card[]): void {
  for (const [place, card] of cards.entries()) {
    const twin = cards.slice(0, place).find((c) => c.person === card.person || shareAKey(c, card));
    if (twin === undefined) continue;
    const what = twin.person === card.person ? "name" : "key";
    throw new KeyriteError(
      "people.same-person",
      `"${twin.person}" and "${card.person}" present the same ${what}`,
      { hints: ["every person makes an identity of their own with keyrite identity new"] },
    );
  }
}
