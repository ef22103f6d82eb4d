/**
 * The shipped ceremonies of one site, from nothing, with secrets that stand nowhere else: no form of any is in a file that
 * is left, in what is printed, or in anything written on the way, and no file is made outside the site's places.
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decryptWith, scryptIdentity } from "../../src/lib/age.ts";
import { fromHex } from "../../src/lib/encoding.ts";
import { parseFact } from "../../src/ceremony/facts.ts";
import { ageSecretKey, combineByHand } from "../support/by-hand.ts";
import { hits, placesBelow, type Place } from "../support/canaries.ts";
import { figure, FULL } from "../support/fault-run.ts";
import { secretOf, textOf } from "../support/identities.ts";
import { identityFileOf, pinOf, shareIn, shareSetOf, shareTextOf } from "../support/opened.ts";
import {
  FOUNDERS,
  initOptions,
  newFolder,
  RehearsedSite,
  succeeded,
  VAULTS,
  type AnswersChange,
  type Ran,
  type RunOptions,
} from "../support/rehearsed-site.ts";
import { preparedFor, shippedInOrder } from "../support/shipped.ts";
import { readTrace, tracedInto } from "../support/traced.ts";

/** Their other site is founded by the same people's media, with the passphrases of its own answers. */
const WITH_PEER = ["trust-site", "crosslink"];
const SHORT = ["prepare-backup", "generate-root-ca"];
const PURPOSES = ["activation", "security-officer"] as const;

/** Put together here, so that nothing else spells it. */
function passphraseOf(person: string): string {
  return ["canary", person, "sleeps", "below", "slate"].join("-");
}

const canaries: AnswersChange = (answers) => {
  for (const person of [...Object.keys(FOUNDERS), "fay"]) {
    answers.passphrases[person] = passphraseOf(person);
  }
};

/** Performs all with passphrases that stand in answers files of their own; `outputs` is all that was printed. */
class CanarySite extends RehearsedSite {
  readonly outputs: Place[] = [];
  readonly written: Place[] = [];
  readonly made = new Set<string>();
  writes = 0;
  #runs = 0;

  override keyrite(args: readonly string[], options: RunOptions = {}): Ran {
    this.#runs += 1;
    const [trace, name] = [
      join(this.folder, "..", `trace-${this.#runs}`),
      args.slice(0, 2).join(" "),
    ];
    const ran = super.keyrite(args, { ...options, under: tracedInto(trace) });
    this.outputs.push({ name: `output of ${name}`, bytes: Buffer.from(ran.stdout + ran.stderr) });
    const { written, writes, made } = readTrace(trace, name);
    this.written.push(written);
    this.writes += writes;
    for (const path of made) this.made.add(path);
    return ran;
  }

  override rehearse(ceremony: string, _?: AnswersChange, more: readonly string[] = []): Ran {
    const answers = this.writeAnswers(ceremony, canaries);
    const ran = this.keyrite(["run", ceremony, "--answers", answers, ...more]);
    rmSync(answers);
    return ran;
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
      ...words,
      "--name",
      name,
      "--domain",
      "example.org",
      "--answers",
      answers,
    ]);
    rmSync(answers);
    return ran;
  }
}

/** Everything secret of the site, opened with the passphrases once all is over. */
async function secretsOf(site: CanarySite): Promise<ReadonlyMap<string, Uint8Array>> {
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
  for (const { token, purpose } of splits(site)) {
    const found = shareSetOf(site, purpose, token);
    const shares: Uint8Array[] = [];
    for (const { person } of found.set.holders) {
      const share = shareIn(await shareTextOf(site, person, found, passphraseOf(person)));
      secrets.set(`${purpose} share for ${token} of ${person}`, share);
      shares.push(share);
    }
    const key = combineByHand(shares.slice(0, found.set.threshold));
    secrets.set(`${purpose} key of ${token}`, key);
    secrets.set(`${purpose} key of ${token} as an identity`, Buffer.from(ageSecretKey(key)));
    const holders = Object.fromEntries(
      found.set.holders
        .slice(0, found.set.threshold)
        .map(({ person }) => [person, passphraseOf(person)]),
    );
    const pin = textOf(await pinOf(site, purpose, holders, { serial: "whatever", label: token }));
    secrets.set(`${purpose} PIN of ${token}`, Buffer.from(pin));
    secrets.set(`${purpose} PIN of ${token} as bytes`, fromHex(pin) ?? assert.fail());
  }
  return secrets;
}

interface Split {
  readonly token: string;
  readonly purpose: (typeof PURPOSES)[number];
}

/** Every share set of a token that was made at the site. */
function splits(site: CanarySite): readonly Split[] {
  const made = site.entries().flatMap(({ facts }) => facts.map(parseFact));
  return made.flatMap((fact): readonly Split[] => {
    if (typeof fact === "string" || fact.kind !== "share-set.made") return [];
    const purpose = PURPOSES.find((one) => one === fact.purpose);
    return purpose === undefined ? [] : [{ token: fact.token, purpose }];
  });
}

test("S02, S06: no secret of a shipped ceremony is left, printed or written on the way, and no temporary file is made", async () => {
  const site = new CanarySite(newFolder());
  for (const vault of VAULTS) mkdirSync(site.vault(vault), { recursive: true });
  for (const person of Object.keys(FOUNDERS)) succeeded(site.makeIdentity(person));
  succeeded(site.keyrite(["init", "--site", site.site, ...initOptions(site)]));
  const ceremonies = shippedInOrder(FULL ? undefined : SHORT).filter(
    (name) => !WITH_PEER.includes(name),
  );
  for (const ceremony of ceremonies) {
    succeeded(site.rehearse(ceremony, undefined, preparedFor(site, ceremony)));
  }
  const secrets = await secretsOf(site);
  assert.ok(secrets.size >= 40, `${secrets.size} secrets were opened`);
  const planted = Buffer.concat([Buffer.from("before"), ...secrets.values()]);
  assert.equal(
    new Set(hits(secrets, [{ name: "planted", bytes: planted }])).size >= secrets.size,
    true,
  );

  const left = placesBelow(site.folder);
  const found = [...left, ...site.outputs, ...site.written].flatMap((place) =>
    hits(secrets, [place]),
  );
  const outside = [...site.made].filter(
    (path) =>
      path.startsWith("/") && !path.startsWith(site.folder) && !path.startsWith("/dev/null"),
  );
  figure("S02", "secrets of the shipped ceremonies in files, output and traced writes", {
    ceremonies: ceremonies.length,
    secrets: secrets.size,
    files: left.length,
    writes: site.writes,
    hits: found.length,
  });
  figure("S06", "files made outside the site, its media and vaults", {
    made: site.made.size,
    outside: outside.length,
  });
  assert.deepEqual(found, []);
  assert.deepEqual(outside, []);
  assert.ok(
    site.written.some(({ bytes }) => bytes.includes("step.completed")),
    "the trace saw the record",
  );
});
