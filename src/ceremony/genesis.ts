/**
 * The genesis of a site: origin, assurance, policy digest, ledger key and the founders' cards. Its
 * digest, on a sheet signed in ink, is where an auditor's trust starts.
 */

import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { fromUtf8, sha256Hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { z } from "../lib/schema.ts";
import { parseCard, type Card } from "../people/card.ts";
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
 * Reads genesis.json, refusing one key under two names.
 * @throws KeyriteError ledger.damaged
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
  for (const founder of founders) {
    if (founder.card.person !== founder.person) {
      throw new KeyriteError(
        "ledger.damaged",
        `the founder "${founder.person}" has the card of "${founder.card.person}"`,
      );
    }
  }
  refuseSharedKeys(founders.map((founder) => founder.card));
  return { ...parsed.data, founders, sha256: sha256Hex(bytes) };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw new KeyriteError("ledger.damaged", "genesis.json is not JSON", { cause });
  }
}

/**
 * One signing or age key under two names would let one person count twice.
 * @throws KeyriteError people.same-person
 */
export function refuseSharedKeys(cards: readonly Card[]): void {
  const owners = new Map<string, string>();
  for (const card of cards) {
    for (const key of [card.person, keyMaterial(card.signing), card.recipient]) {
      const owner = owners.get(key);
      if (owner !== undefined) {
        throw new KeyriteError(
          "people.same-person",
          `"${owner}" and "${card.person}" present the same ${key === card.person ? "name" : "key"}`,
          { hints: ["every person makes an identity of their own with keyrite identity new"] },
        );
      }
      owners.set(key, card.person);
    }
  }
}

// The base64 part of a verifier key: the name in front differs even when the key is the same.
function keyMaterial(verifierKey: string): string {
  return verifierKey.split("+").slice(2).join("+");
}
