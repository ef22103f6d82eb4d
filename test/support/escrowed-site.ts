/** A site whose only backup lies under an escrowed KEK, made by the real commands on one software token. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CEREMONIES,
  FOUNDERS,
  initOptions,
  newFolder,
  RehearsedSite,
  succeeded,
  VAULTS,
  type Ran,
} from "./rehearsed-site.ts";

const SCRIPT = `keyrite: script/v1
name: escrowed-backup
version: 1.0.0
title: A backup under an escrowed KEK
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
    with: { token: alpha, key: root-g1, algorithm: ALGORITHM, purpose: ca-signing, backup: wrap }
  - id: back-up
    action: back-up-key
    by: [ceremony-administrator, internal-witness]
    with: { token: alpha, keys: root-g1, under: escrowed-kek, to: [onsite, offsite] }
  - id: lock
    action: lock-key
    by: [ceremony-administrator, internal-witness]
    with: { token: alpha, keys: root-g1 }
  - { id: deactivate, action: deactivate-token, by: [custodian], with: { token: alpha } }
  - { id: close, action: close, by: everyone }
`;

/** A site whose policy allows escrow, with one CA key backed up under an escrowed KEK. */
export function escrowedSite(algorithm: string): RehearsedSite {
  const site = preparedSite();
  succeeded(backUpEscrowed(site, algorithm));
  return site;
}

/** One line of the shipped policy, and what takes its place. */
export type PolicyChange = readonly [RegExp, string];

const ALLOW_ESCROW: PolicyChange = [/^kek: .*$/m, 'kek: { escrow: allowed, cps: "CPS:6.2.4" }'];

/** A site with one initialized token, under the shipped policy with one line changed. */
export function preparedSite(change = ALLOW_ESCROW): RehearsedSite {
  const site = new RehearsedSite(newFolder());
  for (const vault of VAULTS) mkdirSync(site.vault(vault), { recursive: true });
  for (const person of Object.keys(FOUNDERS)) succeeded(site.makeIdentity(person));
  const policy = policyWith(site, change);
  succeeded(site.keyrite(["init", "--site", site.site, ...initOptions(site, { policy })]));
  succeeded(site.rehearse("establish-site"));
  succeeded(site.rehearse("initialize-token"));
  return site;
}

/** Writes the shipped policy with one line changed, for `init`; returns its path. */
export function policyWith(site: RehearsedSite, [line, instead] = ALLOW_ESCROW): string {
  const policy = join(site.folder, "policy.yaml");
  const shipped = readFileSync(join(CEREMONIES, "policy.yaml"), "utf8");
  const changed = shipped.replace(line, instead);
  assert.notEqual(changed, shipped, "the shipped policy says otherwise");
  writeFileSync(policy, changed);
  return policy;
}

/** Runs the ceremony that makes the KEK, the key and its backup. */
export function backUpEscrowed(
  site: RehearsedSite,
  algorithm: string,
  more: readonly string[] = [],
): Ran {
  const script = join(site.folder, "script.yaml");
  writeFileSync(script, SCRIPT.replace("ALGORITHM", algorithm));
  const answers = join(site.folder, "answers.yaml");
  const phrases = Object.keys(FOUNDERS).map((person) => [person, `${person} drill`]);
  writeFileSync(
    answers,
    JSON.stringify({
      keyrite: "answers/v1",
      passphrases: Object.fromEntries(phrases) as Record<string, string>,
      answers: {
        "roll-call": { present: FOUNDERS },
        generate: { "fingerprint-heard": { eve: "yes" } },
      },
      agree: "all",
    }),
  );
  return site.keyrite(["run", script, "--answers", answers, ...more]);
}

/** The folder of the site's only backup in a vault. */
export function onlyBackup(site: RehearsedSite, vault: string): string {
  const [backup, ...more] = readdirSync(site.vault(vault));
  assert.ok(backup !== undefined && more.length === 0, "one backup lies in the vault");
  return join(site.vault(vault), backup);
}
