/**
 * Another site's KEK: dc1 seals its KEK to a token of dc2 and makes a backup; then dc1 is lost. dc2 takes
 * KEK and keys from that backup, by proofs alone, and refuses whatever they do not show.
 */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { verifyForeignBackup } from "../../src/ceremony/foreign-backup.ts";
import { backedUp, backupStage, newestBackup } from "../support/backup-stage.ts";
import { kekStage, kekStep, kekTools, unwrapsDuring, withTokens } from "../support/kek-stage.ts";
import { ORIGIN } from "../support/ledger-fixture.ts";
import { CAST, script } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { objections } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";
import {
  handOver,
  newestFolder,
  OTHER_ORIGIN,
  papersOf,
  peerOf,
  proveNewest,
} from "../support/two-sites.ts";

const dc1 = await backupStage();
const dc2 = await kekStage(POLICY, OTHER_ORIGIN);
const { refused } = kekTools(dc2);

function transport(stage: Stage, token: string): Uint8Array {
  const { spki } = stage.history.custody.transports.get(token) ?? assert.fail(token);
  return stage.ledger.attachment(spki)?.bytes ?? assert.fail("not attached");
}

// dc2 hands the public half of its transport key over; dc1 seals the KEK to it and backs up.
const cards = join(dc1.vaults.get("offsite") ?? "", "peer", "transport");
mkdirSync(cards, { recursive: true });
writeFileSync(join(cards, "dc2-alpha.spki"), transport(dc2, "alpha"));
const send = "kek: backup-kek, from: alpha, to: dc2-alpha, peer: offsite";
await dc1.run(withTokens(["alpha"], [kekStep("send-kek", send)]), CAST);
await dc1.run(backedUp(["root-g1", "root-g2"]), CAST);
await proveNewest(dc1);
const { backup } = newestBackup(dc1);
const { checkValue } = dc1.history.custody.keks.get("backup-kek.g1") ?? assert.fail("no KEK");

dc2.clock.time = dc1.clock.time;
const folder = join(dc2.vaults.get("onsite") ?? "", backup);
cpSync(newestFolder(dc1), folder, { recursive: true });
const envelope = join(folder, "kek", "backup-kek.g1", "dc2-alpha.envelope");

interface Load {
  readonly token?: string;
  readonly kek?: string;
  readonly origin?: string;
}

function load({
  token = "alpha",
  kek = "backup-kek, generation: 1",
  origin = ORIGIN,
}: Load): string {
  const from = `{ vault: onsite, backup: ${backup}, origin: "${origin}" }`;
  return withTokens([token], [kekStep("load-kek", `kek: ${kek}, token: ${token}, from: ${from}`)]);
}

test("a site that nobody trusts is objected to when planning", () => {
  assert.match(objections(dc2, load({})).join(), new RegExp(`site ${ORIGIN} is not trusted here`));
});

test("the site is adopted, and its KEK is not known by that", async () => {
  handOver(dc1, dc2);
  const trust = kekStep("trust-site", `origin: "${ORIGIN}", from: offsite`);
  await dc2.run(script([trust]), CAST);
  assert.ok(dc2.history.custody.peers.has(ORIGIN));
  assert.equal(dc2.history.custody.keks.size, 0);
  const unnamed = objections(dc2, load({ kek: "backup-kek" })).join();
  assert.match(unnamed, /name the generation of another site's KEK/);
});

test("a token that the other site did not seal the KEK to is refused", async () => {
  await refused(load({ token: "beta" }), {
    code: "script.refused",
    says: /did not seal KEK backup-kek.g1 to the transport key of beta/,
  });
});

test("another KEK than that of the backup is refused", async () => {
  for (const kek of ["backup-kek, generation: 2", "other-kek, generation: 1"]) {
    await refused(load({ kek }), { code: "script.refused", says: /is not under KEK/ });
  }
});

test("an altered envelope of another site is refused without a call to unwrap", async () => {
  const right = readFileSync(envelope);
  const unwraps = await unwrapsDuring(dc2, async () => {
    for (const at of [0, 100, right.length - 1]) {
      const wrong = Uint8Array.from(right);
      wrong[at] = (wrong[at] ?? 0) ^ 0x80;
      writeFileSync(envelope, wrong);
      await refused(load({}), { code: "ledger.backup-damaged", says: /not the one on record/ });
    }
  });
  writeFileSync(envelope, right);
  assert.equal(unwraps, 0);
});

test("an envelope without the proof that it was sent is refused", async () => {
  const proofs = join(folder, "proofs");
  const sent = dc1
    .entries()
    .find(({ step, type }) => step === "send-kek" && type === "step.completed");
  const proof = join(proofs, `${sent?.seq ?? ""}.tlog-proof`);
  renameSync(proof, `${folder}.kept`);
  await refused(load({}), { code: "script.refused", says: /did not seal KEK/ });
  renameSync(`${folder}.kept`, proof);
});

test("a backup whose papers do not hold gives no KEK", async () => {
  const manifest = join(folder, "backup.json");
  const right = readFileSync(manifest);
  writeFileSync(manifest, right.toString().replace(checkValue, "0123456789abcdef"));
  const unwraps = await unwrapsDuring(dc2, () =>
    refused(load({}), { code: "ledger.backup-damaged", says: /is refused/ }),
  );
  writeFileSync(manifest, right);
  assert.equal(unwraps, 0);
});

test("the KEK of the lost site is adopted and loaded, and its keys come back", async () => {
  await dc2.run(load({}), CAST);
  const kek = dc2.history.custody.keks.get("backup-kek.g1") ?? assert.fail("not adopted");
  assert.equal(kek.origin, ORIGIN);
  assert.equal(kek.checkValue, checkValue);
  assert.deepEqual([...kek.tokens.keys()], ["alpha"]);
  assert.deepEqual([...kek.envelopes.keys()], ["dc2-alpha"]);
  const values = `token: alpha, keys: all-ca-keys, under: backup-kek, backup: ${backup}, from: onsite`;
  await dc2.run(withTokens(["alpha"], [kekStep("restore-key", values)]), CAST);
  const ours = [...dc2.history.custody.copies].map(([spki, { tokens }]) => [
    spki,
    [...tokens.keys()],
  ]);
  const theirs = [...dc1.history.custody.copies.keys()].map((spki) => [spki, ["alpha"]]);
  assert.deepEqual(ours, theirs.sort());
  dc2.judge();
  assert.deepEqual(dc2.findings, []);
  assert.match(objections(dc2, load({})).join(), /is already on token alpha/);
});

test("H18: a key of theirs that was destroyed here is not unwrapped again, and lies nowhere unrecorded", async () => {
  const end = "key: root-g1, everywhere: true, reason: old";
  await dc2.run(withTokens(["alpha"], [kekStep("destroy-key", end)]), CAST);
  const again = (keys: string): string => {
    const values = `token: alpha, keys: ${keys}, under: backup-kek, backup: ${backup}, from: onsite`;
    return withTokens(["alpha"], [kekStep("restore-key", values)]);
  };
  const unwraps = await unwrapsDuring(dc2, async () => {
    await refused(again("root-g1"), {
      code: "script.refused",
      says: /key root-g1 is on record as destroyed/,
    });
    await refused(again("root-g2"), {
      code: "hsm.object-exists",
      says: /key root-g2 is on token alpha already, by the record/,
    });
  });
  assert.equal(unwraps, 0);
});

test("the adopted KEK goes on to a second token here, from the files kept at the site", async () => {
  const on = "kek: backup-kek, generation: 1";
  const steps = [
    kekStep("send-kek", `${on}, from: alpha, to: beta`),
    kekStep("load-kek", `${on}, token: beta`),
  ];
  await dc2.run(withTokens(["alpha", "beta"], steps), CAST);
  const kek = dc2.history.custody.keks.get("backup-kek.g1") ?? assert.fail("not adopted");
  assert.deepEqual([...kek.tokens.keys()], ["alpha", "beta"]);
  dc2.judge();
  assert.deepEqual(dc2.findings, []);
});

test("a KEK of the same name cannot be established here, nor theirs rotated", () => {
  const values = "kek: backup-kek, token: alpha, for: [alpha, beta]";
  const again = withTokens(["alpha"], [kekStep("establish-kek", values)]);
  assert.match(objections(dc2, again).join(), /there is a KEK backup-kek already/);
  const next = withTokens(["alpha"], [kekStep("rotate-kek", values)]);
  assert.match(objections(dc2, next).join(), /KEK backup-kek is of .*: establish one of this site/);
});

test("a backup made here under the adopted KEK is proved by how the KEK came here", async () => {
  await dc2.run(backedUp(["dc2-root"]), CAST);
  await proveNewest(dc2);
  const papers = papersOf(dc2);
  const { problems, found } = verifyForeignBackup(papers, peerOf(dc2, papers.proofs.checkpoint));
  assert.deepEqual(problems, []);
  assert.ok(found);
  assert.equal(found.kek.kind, "kek.adopted");
});
