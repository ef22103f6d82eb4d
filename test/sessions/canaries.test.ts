/** No secret of a whole rehearsal stands in any file, argument, environment or output. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decryptWith, scryptIdentity } from "../../src/lib/age.ts";
import { fromHex } from "../../src/lib/encoding.ts";
import { ageSecretKey, combineByHand } from "../support/by-hand.ts";
import { formsOf, hits, placesBelow, ProcessWatch, type Place } from "../support/canaries.ts";
import { secretOf, textOf } from "../support/identities.ts";
import { identityFileOf, pinOf, shareIn, shareSetOf, shareTextOf } from "../support/opened.ts";
import {
  BIN,
  CEREMONIES,
  cleanEnvironment,
  FOUNDERS,
  initOptions,
  newFolder,
  RehearsedSite,
  TOKENS,
  VAULTS,
} from "../support/rehearsed-site.ts";

const PEOPLE = Object.keys(FOUNDERS);
const PURPOSES = ["activation", "security-officer"] as const;
const CEREMONY_NAMES = [
  "establish-site",
  "initialize-token",
  "prepare-backup",
  "generate-root-ca",
  "restore-drill",
];

/** Put together here, so that the test's own source and arguments are no find. */
function passphraseOf(person: string): string {
  return ["canary", person, "sits", "under", "stone"].join("-");
}

class WatchedSite extends RehearsedSite {
  readonly outputs: Place[] = [];

  /** Runs a command whose secrets come on a descriptor; all it prints is kept. */
  async watched(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<void> {
    const env = { ...cleanEnvironment(), KEYRITE_SITE: this.site, TMPDIR: this.temporary, ...more };
    const child = spawn(process.execPath, [BIN, ...args, "--answers-fd", "3"], {
      env,
      cwd: this.temporary,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const [, stdout, stderr, secrets] = child.stdio;
    assert.ok(stdout && stderr);
    const chunks: Buffer[] = [];
    for (const stream of [stdout, stderr]) {
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    }
    assert.ok(secrets && "end" in secrets);
    const lines = PEOPLE.map((person) => `${person} ${passphraseOf(person)}\n`);
    secrets.end(lines.join(""));
    await once(child, "close");
    const bytes = Buffer.concat(chunks);
    this.outputs.push({ name: `output of ${args.slice(0, 2).join(" ")}`, bytes });
    assert.equal(child.exitCode, 0, bytes.toString());
  }

  get temporary(): string {
    return join(this.folder, "tmp");
  }
}

/** Everything secret of the site, opened with the passphrases once all is over. */
async function secretsOf(site: WatchedSite): Promise<ReadonlyMap<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  for (const person of PEOPLE) {
    secrets.set(`passphrase of ${person}`, Buffer.from(passphraseOf(person)));
    const passphrase = scryptIdentity(secretOf(passphraseOf(person)));
    const identity = await decryptWith([passphrase], readFileSync(identityFileOf(site, person)));
    const text = textOf(identity);
    const seed = fromHex(/signing-seed ([0-9a-f]{64})/.exec(text)?.[1] ?? "");
    const key = /AGE-SECRET-KEY-1\w+/.exec(text)?.[0];
    assert.ok(seed && key);
    secrets.set(`signing seed of ${person}`, seed);
    secrets.set(`age key of ${person}`, Buffer.from(key));
  }
  const sets = TOKENS.flatMap((token) => PURPOSES.map((purpose) => ({ token, purpose })));
  for (const { token, purpose } of sets) {
    const found = shareSetOf(site, purpose, token);
    const shares: Uint8Array[] = [];
    for (const { person } of found.set.holders) {
      const share = shareIn(await shareTextOf(site, person, found, passphraseOf(person)));
      secrets.set(`${purpose} share for ${token} of ${person}`, share);
      shares.push(share);
    }
    const key = combineByHand(shares.slice(0, 2));
    secrets.set(`${purpose} key of ${token}`, key);
    secrets.set(`${purpose} key of ${token} as an identity`, Buffer.from(ageSecretKey(key)));
    const holders = { ben: passphraseOf("ben"), cleo: passphraseOf("cleo") };
    const info = { serial: "whatever", label: token };
    const pin = textOf(await pinOf(site, purpose, holders, info));
    secrets.set(`${purpose} PIN of ${token}`, Buffer.from(pin));
    secrets.set(`${purpose} PIN of ${token} as bytes`, fromHex(pin) ?? new Uint8Array());
  }
  const ledgerKey = fromHex(readFileSync(site.file("ledger.key"), "utf8").trim());
  assert.ok(ledgerKey);
  secrets.set("ledger key", ledgerKey);
  return secrets;
}

test("S01, S02: no secret in any file, argument, environment or output of a whole rehearsal", async () => {
  const site = new WatchedSite(newFolder());
  mkdirSync(site.temporary);
  const watch = new ProcessWatch();
  const published = join(CEREMONIES, "people.yaml");
  const [first = ""] = PEOPLE;
  for (const person of PEOPLE) {
    const words = ["identity", "new", "--medium", site.medium(person), "--person", person];
    const more = ["--name", person, "--domain", "example.org", "--answers", published];
    // Planted: an environment that the watch must find, or it watches nothing.
    const planted = person === first ? { PLANTED: passphraseOf(person) } : {};
    await site.watched([...words, ...more], planted);
  }
  for (const vault of VAULTS) mkdirSync(site.vault(vault), { recursive: true });
  assert.equal(site.keyrite(["init", ...initOptions(site)]).code, 0);
  for (const ceremony of CEREMONY_NAMES) {
    const answers = join(CEREMONIES, ceremony, "answers.yaml");
    await site.watched(["run", ceremony, "--answers", answers, "--json"]);
  }
  const seen = watch.end();
  const secrets = await secretsOf(site);

  const inProcesses = hits(secrets, seen);
  assert.ok(inProcesses.length > 0, "the watch sees what is planted");
  for (const hit of inProcesses) {
    assert.match(hit, new RegExp(`^passphrase of ${first} \\(raw\\) in environ of`));
  }
  assert.ok(
    seen.some(({ bytes }) => bytes.includes("generate-root-ca")),
    "the watch saw arguments",
  );
  const places = [...placesBelow(site.folder), ...site.outputs];
  for (const name of ["ledger.db", "identity.age", "root-ca.pem", "token.object"]) {
    assert.ok(
      places.some((place) => place.name.endsWith(name)),
      `${name} was looked into`,
    );
  }
  assert.deepEqual([...new Set(hits(secrets, places))], ["ledger key (hex) in site/ledger.key"]);
  findsWhatIsPlanted(site, secrets);
});

/** The search finds every secret in every form, planted one by one. */
function findsWhatIsPlanted(site: WatchedSite, secrets: ReadonlyMap<string, Uint8Array>): void {
  const path = join(site.temporary, "planted");
  for (const [name, bytes] of secrets) {
    for (const form of formsOf(name, bytes)) {
      writeFileSync(path, Buffer.concat([Buffer.from("before"), form.bytes, Buffer.from("after")]));
      const found = hits(new Map([[name, bytes]]), placesBelow(site.temporary));
      assert.ok(found.includes(`${form.name} in planted`), form.name);
    }
    for (const shift of [0, 1, 2]) {
      const text = Buffer.concat([Buffer.alloc(shift, 7), bytes, Buffer.alloc(5, 9)]);
      writeFileSync(path, text.toString("base64"));
      const found = hits(new Map([[name, bytes]]), placesBelow(site.temporary));
      assert.ok(found.includes(`${name} (Base64 at ${shift}) in planted`), `${name} at ${shift}`);
    }
  }
  rmSync(path);
}
