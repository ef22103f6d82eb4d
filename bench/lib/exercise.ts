/**
 * A real site on which a long ceremony was really performed: what a ledger of any size repeats. Made by the
 * real commands, people answering from a file, once for each build of the software.
 */

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyrite } from "./keyrite.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");

/** Keys of the exercise: with six, a restore and a destruction take ten entries each. */
const KEYS = ["a", "b", "c", "d", "e", "f"].map((name) => `issuing-${name}`);
/** Pairs of a restore and a destruction: with these the script has the most steps that a script may have. */
const PAIRS = 96;

const HEAD = (name: string, title: string): readonly string[] => [
  "keyrite: script/v1",
  `name: ${name}`,
  "version: 1.0.0",
  `title: ${title}`,
  "caClass: none",
  'policyRefs: ["BR:5.7.1.1", "CPS:5.7.4"]',
  "roles: { ceremony-administrator: 1, custodian: 2, internal-witness: 1 }",
  "steps:",
  "  - { id: roll-call, action: roll-call, by: everyone }",
  "  - { id: clock, action: attest-clock, by: [ceremony-administrator, internal-witness] }",
];
const CLOSE = "  - { id: close, action: close, by: everyone }";

function step(id: string, action: string, by: string, parameters: string): string {
  return `  - { id: ${id}, action: ${action}, by: [${by}], with: { ${parameters} } }`;
}

const TWO = "ceremony-administrator, internal-witness";
const SHARES = "custodian, custodian";

/** Generates the keys, backs them up and locks them. */
const PREPARE = [
  ...HEAD("prepare-exercise", "Keys for the exercise"),
  step("activate", "activate-token", SHARES, "token: alpha"),
  step("activate-prove", "activate-token", SHARES, "token: beta"),
  ...KEYS.map((key) =>
    step(
      `make-${key}`,
      "generate-key",
      TWO,
      `token: alpha, key: ${key}, algorithm: p-256, purpose: ca-signing, backup: wrap`,
    ),
  ),
  step(
    "back-up",
    "back-up-key",
    TWO,
    "token: alpha, keys: all-ca-keys, under: ca-backup, to: [onsite, offsite], proveOn: beta",
  ),
  step("lock", "lock-key", TWO, "token: alpha, keys: all-ca-keys"),
  step("deactivate-prove", "deactivate-token", "custodian", "token: beta"),
  step("deactivate", "deactivate-token", "custodian", "token: alpha"),
  CLOSE,
];

/** Restores all keys on the spare HSM and destroys them again, over and over. */
const EXERCISE = [
  ...HEAD("restore-exercise", "Restore exercise on a spare HSM"),
  step("activate", "activate-token", SHARES, "token: gamma"),
  step(
    "load",
    "load-kek",
    TWO,
    "kek: ca-backup, generation: 1, token: gamma, from: { vault: onsite, backup: newest }",
  ),
  ...Array.from({ length: PAIRS }, (_, pair) => [
    step(
      `restore-${pair}`,
      "restore-key",
      TWO,
      "token: gamma, keys: all-ca-keys, under: ca-backup, backup: newest, from: onsite",
    ),
    step(`destroy-${pair}`, "destroy-key", TWO, "token: gamma, keys: all-ca-keys"),
  ]).flat(),
  step("unload", "destroy-kek", TWO, "kek: ca-backup, generation: 1, token: gamma"),
  step("deactivate", "deactivate-token", "custodian", "token: gamma"),
  CLOSE,
];

const ANSWERS = [
  "keyrite: answers/v1",
  "passphrases: { ana: ana drill, ben: ben drill, cleo: cleo drill, eve: eve drill }",
  "answers:",
  "  roll-call:",
  "    present:",
  "      { ana: ceremony-administrator, ben: custodian, cleo: custodian, eve: internal-witness }",
  '  clock: { source: { ana: radio clock of the room }, offset-seconds: { ana: "0" } }',
];

/** The folder of that site, with the media of its people beside it: `site`, `media`, `vaults`. */
export function exercisedSite(): string {
  const folder = join(cacheFolder(), `exercise-${buildDigest().slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  process.stdout.write(`performing the exercise once, in ${folder}\n`);
  keyrite("demo", "prepare-backup", "--out", fresh);
  const heard = KEYS.map((key) => `  make-${key}: { fingerprint-heard: { eve: "yes" } }`);
  perform(fresh, "prepare-exercise", PREPARE, [...ANSWERS, ...heard]);
  perform(fresh, "restore-exercise", EXERCISE, ANSWERS);
  renameSync(fresh, folder);
  return folder;
}

/** Where what takes long to make is kept between runs. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), "keyrite-bench-cache");
  mkdirSync(folder, { recursive: true });
  return folder;
}

function perform(
  folder: string,
  name: string,
  script: readonly string[],
  answers: readonly string[],
): void {
  const place = join(folder, "scripts", name);
  mkdirSync(place, { recursive: true });
  const [scriptPath, answersPath] = [join(place, "script.yaml"), join(place, "answers.yaml")];
  writeFileSync(scriptPath, `${script.join("\n")}\n`);
  writeFileSync(answersPath, `${[...answers, "agree: all"].join("\n")}\n`);
  keyrite("run", scriptPath, "--site", join(folder, "site"), "--answers", answersPath);
}

// Entries name the build that wrote them, and another build may write others.
function buildDigest(): string {
  const digest = createHash("sha256");
  for (const file of readdirSync(DIST).sort())
    digest.update(file).update(readFileSync(join(DIST, file)));
  return digest.digest("hex");
}
