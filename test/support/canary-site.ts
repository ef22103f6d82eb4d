/** A site whose people type passphrases that stand nowhere else, and everything secret of it, to be looked for. */

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseFact } from "../../src/ceremony/facts.ts";
import { decodeEntry, type Entry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { decryptWith, scryptIdentity } from "../../src/lib/age.ts";
import { fromHex } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { SharePurpose } from "../../src/shares/share-set.ts";
import { combine } from "../../src/shares/use-share-set.ts";
import { ageSecretKey, combineByHand } from "./by-hand.ts";
import { secretOf, textOf } from "./identities.ts";
import { identityFileOf, shareIn, shareSetOf, shareTextOf } from "./opened.ts";
import {
  FOUNDERS,
  RehearsedSite,
  succeeded,
  VAULTS,
  type AnswersChange,
  type Ran,
  type RunOptions,
} from "./rehearsed-site.ts";

/** Put together here, so that nothing else spells it. */
export function passphraseOf(person: string): string {
  return ["canary", person, "sleeps", "below", "slate"].join("-");
}

const canaries: AnswersChange = (answers) => {
  for (const person of [...Object.keys(FOUNDERS), "fay"]) {
    answers.passphrases[person] = passphraseOf(person);
  }
};

/** Every way a secret of a token or a KEK goes: a KEK is made, split, and rebuilt on another token; a key is made. */
const SECRETS_SCRIPT = `keyrite: script/v1
name: all-secrets
version: 1.0.0
title: An escrowed KEK, made on one token and rebuilt on another
caClass: none
roles: { ceremony-administrator: 1, custodian: 3, internal-witness: 1 }
steps:
  - { id: roll-call, action: roll-call, by: everyone }
  - { id: activate, action: activate-token, by: [custodian, custodian], with: { token: alpha } }
  - id: establish
    action: establish-kek
    by: [ceremony-administrator, internal-witness]
    with: { kek: escrowed-kek, token: alpha, escrow: true }
  - id: generate
    action: generate-key
    by: [ceremony-administrator, internal-witness]
    with: { token: alpha, key: canary-g1, algorithm: p-256, purpose: ca-signing, backup: never }
  - { id: deactivate, action: deactivate-token, by: [custodian], with: { token: alpha } }
  - { id: activate-beta, action: activate-token, by: [custodian, custodian], with: { token: beta } }
  - id: load
    action: load-kek
    by: [custodian, custodian]
    with: { kek: escrowed-kek, token: beta }
  - { id: deactivate-beta, action: deactivate-token, by: [custodian], with: { token: beta } }
  - { id: close, action: close, by: everyone }
`;

/** Performs all with passphrases that stand in answers files of their own, removed behind each run. */
export class CanarySite extends RehearsedSite {
  /** Vaults and founders' identities; the site itself is the caller's to make. */
  makePeople(): void {
    for (const vault of VAULTS) mkdirSync(this.vault(vault), { recursive: true });
    for (const person of Object.keys(FOUNDERS)) succeeded(this.makeIdentity(person));
  }

  override rehearse(ceremony: string, _?: AnswersChange, more: readonly string[] = []): Ran {
    const answers = this.writeAnswers(ceremony, canaries);
    const ran = this.keyrite(["run", ceremony, "--answers", answers, ...more]);
    rmSync(answers);
    return ran;
  }

  /** The script that uses every kind of secret, for a site whose policy allows escrow; returns its path. */
  writeSecretsScript(text = SECRETS_SCRIPT): string {
    const path = join(this.folder, "script-of-secrets.yaml");
    writeFileSync(path, text);
    return path;
  }

  /** Rehearses that script, or another that asks for no more answers. */
  rehearseSecrets(text = SECRETS_SCRIPT, options: RunOptions = {}): Ran {
    const answers = join(this.folder, "answers-of-secrets.yaml");
    const passphrases = Object.keys(FOUNDERS).map((person) => [person, passphraseOf(person)]);
    const heard = { "fingerprint-heard": { eve: "yes" } };
    writeFileSync(
      answers,
      JSON.stringify({
        keyrite: "answers/v1",
        passphrases: Object.fromEntries(passphrases) as Record<string, string>,
        answers: {
          "roll-call": { present: FOUNDERS },
          ...(text.includes("id: generate") ? { generate: heard } : {}),
        },
        agree: "all",
      }),
    );
    const ran = this.keyrite(["run", this.writeSecretsScript(text), "--answers", answers], options);
    rmSync(answers);
    return ran;
  }

  /** Read from a copy: while a ceremony goes on nobody else opens its ledger. */
  override entries(): readonly Entry[] {
    const copy = join(this.folder, "copy-of-ledger.db");
    copyFileSync(this.file("ledger.db"), copy);
    const ledger = LedgerStore.open(copy);
    try {
      return [...ledger.entries()].map((text) => decodeEntry(text));
    } finally {
      ledger.close();
      rmSync(copy);
    }
  }

  override makeIdentity(person: string, name = person): Ran {
    const answers = join(this.folder, "people-of-canaries.yaml");
    const passphrases = { [person]: passphraseOf(person) };
    writeFileSync(
      answers,
      JSON.stringify({ keyrite: "answers/v1", passphrases, answers: {}, agree: "all" }),
    );
    const words = ["identity", "new", "--medium", this.medium(person), "--person", person];
    const ran = this.keyrite([
      ...[...words, "--name", name, "--domain", "example.org"],
      ...["--answers", answers],
    ]);
    rmSync(answers);
    return ran;
  }
}

/** Everything secret of the site that is on media now, opened with the passphrases. */
export async function secretsOf(site: RehearsedSite): Promise<ReadonlyMap<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  for (const person of Object.keys(FOUNDERS)) {
    const passphrase = passphraseOf(person);
    secrets.set(`passphrase of ${person}`, Buffer.from(passphrase));
    const file = readFileSync(identityFileOf(site, person));
    const text = textOf(await decryptWith([scryptIdentity(secretOf(passphrase))], file));
    secrets.set(
      `seed of ${person}`,
      fromHex(/signing-seed (\w{64})/.exec(text)?.[1] ?? "") ?? assert.fail(),
    );
    secrets.set(
      `age key of ${person}`,
      Buffer.from(/AGE-SECRET-KEY-1\w+/.exec(text)?.[0] ?? assert.fail()),
    );
  }
  for (const split of splitsOf(site)) {
    for (const [name, bytes] of await secretsOfSplit(site, split)) secrets.set(name, bytes);
  }
  return secrets;
}

interface Split {
  readonly set: string;
  readonly token: string;
  readonly purpose: SharePurpose;
  /** What is sealed for: the token's label, or the name of the KEK. */
  readonly label: string;
}

async function secretsOfSplit(
  site: RehearsedSite,
  { token, purpose, label }: Split,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  const found = shareSetOf(site, purpose, token);
  const shares: Uint8Array[] = [];
  for (const { person } of found.set.holders) {
    const share = shareIn(await shareTextOf(site, person, found, passphraseOf(person)));
    secrets.set(`${purpose} share for ${label} of ${person}`, share);
    shares.push(share);
  }
  const quorum = shares.slice(0, found.set.threshold);
  const key = combineByHand(quorum);
  secrets.set(`${purpose} key of ${label}`, key);
  secrets.set(`${purpose} key of ${label} as an identity`, Buffer.from(ageSecretKey(key)));
  const entered = quorum.map((share, i) => ({
    person: found.set.holders[i]?.person ?? assert.fail(),
    share: Secret.copy(share),
  }));
  const sealed = readFileSync(join(found.folder, "sealed.age"));
  const text = textOf(await combine(found.set, entered, sealed, { serial: "whatever", label }));
  const what = purpose === "kek" ? "KEK" : `${purpose} PIN of`;
  secrets.set(`${what} ${label}`, Buffer.from(text));
  secrets.set(`${what} ${label} as bytes`, fromHex(text) ?? assert.fail());
  return secrets;
}

/** Every share set that was made at the site, of tokens and of escrowed KEKs. */
function splitsOf(site: RehearsedSite): readonly Split[] {
  const facts = site.entries().flatMap((entry) => entry.facts.map(parseFact));
  const made = facts.filter((fact) => typeof fact !== "string");
  const escrowed = new Map<string, string>();
  for (const fact of made) {
    if (fact.kind === "kek.escrowed") escrowed.set(fact.set, `${fact.kek}.g${fact.generation}`);
  }
  return made.flatMap((fact): readonly Split[] => {
    if (fact.kind !== "share-set.made") return [];
    const { set, token, purpose } = fact;
    return [{ set, token, purpose, label: escrowed.get(set) ?? token }];
  });
}
