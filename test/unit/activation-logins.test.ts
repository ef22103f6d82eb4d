/** Wrong shares in whatever combination: each is refused by name, and not one login reaches the token. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { encryptTo, x25519Recipient } from "../../src/lib/age.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { makeShareSet, PENDING, type MadeShareSet } from "../../src/shares/make-share-set.ts";
import { secretOf, seededRandom } from "../support/identities.ts";
import { CAST, foundedStage, INITIALIZE, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { FOUNDERS, POLICY } from "../support/stage-site.ts";
import { Stage, type Cast } from "../support/stage.ts";

const HOLDERS = ["ben", "cleo", "dan"] as const;
const ACTIVATE = script([STEP.activate, STEP.deactivate]);
const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

const stage = await foundedStage();
const large = await Stage.create(FOUNDERS, POLICY.replaceAll("threshold: 2", "threshold: 3"));
after(() => {
  stage.remove();
  large.remove();
});
await stage.run(INITIALIZE, CAST);
await large.run(script([STEP.clock], ["founding: true"]), CAST);
await large.run(INITIALIZE, CAST);
const SET = setOf(stage);

/** Name of the activation set in files. */
function setOf({ history }: Stage): string {
  const ref = history.custody.tokens.get("alpha")?.sets.activation;
  assert.ok(ref);
  return `${ref.set}.g${ref.generation}`;
}

function shareOf(person: string): string {
  return join(stage.medium(person).folder, "shares", `${SET}.share.age`);
}

function share(person: string): Uint8Array {
  return readFileSync(shareOf(person));
}

/** A set for the same holders, of which a file is smuggled in. */
async function otherSet(id: string, generation: number): Promise<MadeShareSet> {
  return makeShareSet({
    purpose: "activation",
    id,
    generation,
    token: { serial: PENDING, label: "alpha" },
    threshold: 2,
    holders: HOLDERS.map((person) => ({
      person,
      recipient: stage.person(person).card.recipient,
    })),
    secret: secretOf("another PIN altogether"),
    random: seededRandom(`${id} ${generation}`),
  });
}

async function resealed(from: string, to: string): Promise<Uint8Array> {
  const content = await stage.person(from).opened.opener.open(share(from));
  const recipient = x25519Recipient(stage.person(to).card.recipient);
  return content.use((bytes) => encryptTo([recipient], Uint8Array.from(bytes)));
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte));

/** Every copy of the sealed PIN. */
function sealedFiles(): readonly string[] {
  return [
    join(stage.folder, "share-sets", SET, "sealed.age"),
    ...HOLDERS.map((person) => join(stage.medium(person).folder, "sealed", `${SET}.age`)),
  ];
}

type Change = () =>
  | Readonly<Record<string, Uint8Array | undefined>>
  | Promise<Readonly<Record<string, Uint8Array | undefined>>>;

/** Files by path, as an attacker leaves them; undefined is a file that is gone. */
const WRONG: Readonly<Record<string, readonly [change: Change, message: RegExp]>> = {
  "Q03: a share of another set": [
    async () => ({ [shareOf("ben")]: (await otherSet("sother", 1)).shares.get("ben") }),
    /share of ben in set .* is of share set sother/,
  ],
  "Q03: shares of another set by everybody, which fit together": [
    async () => {
      const { shares } = await otherSet("sother", 1);
      return Object.fromEntries(HOLDERS.map((person) => [shareOf(person), shares.get(person)]));
    },
    /is of share set sother/,
  ],
  "Q03: a share of another generation": [
    async () => ({
      [shareOf("ben")]: (await otherSet(SET.replace(".g1", ""), 2)).shares.get("ben"),
    }),
    /generation 2, which is not in use/,
  ],
  "Q03: the officers' share in place of the activation share": [
    () => {
      const folder = join(stage.medium("ben").folder, "shares");
      const other = readdirSync(folder).find((file) => !file.startsWith(SET));
      return { [shareOf("ben")]: readFileSync(join(folder, other ?? "")) };
    },
    /share of ben .* is of share set/,
  ],
  "Q08: two holders' shares swapped": [
    () => ({ [shareOf("ben")]: share("cleo"), [shareOf("cleo")]: share("ben") }),
    /share of ben .* it is the share of cleo/,
  ],
  "Q08: one holder's share on two media": [
    () => ({ [shareOf("cleo")]: share("ben") }),
    /share of cleo .* it is the share of ben/,
  ],
  "Q08: one holder's share, sealed anew to another": [
    async () => ({ [shareOf("cleo")]: await resealed("ben", "cleo") }),
    /share of cleo .* it is the share of ben/,
  ],
  "Q01: a share that its holder opened and sealed again": [
    async () => ({ [shareOf("ben")]: await resealed("ben", "ben") }),
    /share of ben .* re-encrypted since it was issued/,
  ],
  "Q02: a share that is not there": [
    () => ({ [shareOf("cleo")]: undefined }),
    /medium of cleo holds no share/,
  ],
  "Q01: an empty share": [() => ({ [shareOf("ben")]: new Uint8Array() }), /share of ben/],
  "Q01: every copy of the sealed PIN altered": [
    () => Object.fromEntries(sealedFiles().map((file) => [file, flipped(readFileSync(file), -1)])),
    /no copy of the sealed secret/,
  ],
  "Q03: another set's sealed PIN everywhere": [
    async () => {
      const { sealed } = await otherSet("sother", 1);
      return Object.fromEntries(sealedFiles().map((file) => [file, sealed]));
    },
    /no copy of the sealed secret/,
  ],
};

const BYTES = [0, 30, 60, 120, 200, -40, -17, -1];

for (const at of BYTES) {
  wrong(
    `Q01: byte ${at} of a share altered`,
    () => ({ [shareOf("cleo")]: flipped(share("cleo"), at) }),
    /share of cleo/,
  );
}
for (const [what, [change, message]] of Object.entries(WRONG)) wrong(what, change, message);

function wrong(what: string, change: Change, message: RegExp): void {
  test(`${what}: refused without a login`, async () => {
    const before = new Map<string, Uint8Array>();
    for (const [file, bytes] of Object.entries(await change())) {
      before.set(file, readFileSync(file));
      if (bytes === undefined) rmSync(file);
      else writeFileSync(file, bytes);
    }
    await refused(stage, CAST, message);
    for (const [file, bytes] of before) writeFileSync(file, bytes);
  });
}

/** The activation is refused, no login was tried, and two people end the ceremony. */
async function refused(on: Stage, cast: Cast, message: RegExp): Promise<void> {
  const { logins } = on.rig.hsm.counters;
  let tried = 0;
  on.rig.faults.before = (call) => {
    if (call === "login") tried += 1;
  };
  await assert.rejects(on.run(ACTIVATE, cast), (error) => {
    assert.ok(error instanceof KeyriteError && error.code.startsWith("people."), String(error));
    assert.match(error.message, message);
    return true;
  });
  assert.equal(on.rig.hsm.counters.logins, logins);
  assert.equal(tried, 0, "the module itself saw no C_Login");
  on.rig.faults.before = undefined;
  assert.equal(on.history.custody.active.size, 0);
  await on.abandon({ present: TWO });
}

test("Q02: fewer holders than the threshold are refused without a login", async () => {
  await refused(large, CAST, /needs 3 holders, the step calls for 2/);
});

test("Q02: somebody who holds no share is refused without a login", async () => {
  await stage.run(script([STEP.enroll]), CAST);
  const present = { ...ROLL, dan: "absent", fay: "custodian" };
  const cast = { present, answers: { who: ["fay", "ben"] } };
  await refused(stage, cast, /fay holds no share of set/);
});

test("Q08: one person with two media is refused without a login", async () => {
  const medium = (person: string): Promise<ReturnType<Stage["medium"]>> =>
    Promise.resolve(stage.medium(person === "cleo" ? "ben" : person));
  const { logins } = stage.rig.hsm.counters;
  await assert.rejects(stage.run(ACTIVATE, CAST, { hall: { medium } }), {
    code: "people.same-person",
    message: /the medium given for cleo is that of ben/,
  });
  assert.equal(stage.rig.hsm.counters.logins, logins);
});

test("Q07: a wrong passphrase is refused without a login", async () => {
  const passphrase = (person: string, step: string): string =>
    person === "cleo" && step === "activate" ? "wrong" : `${person} drill`;
  await refused(stage, { ...CAST, passphrase }, /cleo could not open their identity/);
});

test("Q14: a holder who declines after the other brought a share costs no login", async () => {
  const agrees = ({ step, to }: { step: string; to: { person: string } }): boolean =>
    step !== "activate" || to.person !== "cleo";
  await refused(stage, { ...CAST, agrees }, /cleo declined/);
});

test("Q04: the right shares log in once, also when only one copy of the sealed PIN is left", async () => {
  const files = sealedFiles();
  const kept = files.map((file) => readFileSync(file));
  for (const file of files.slice(0, 1)) writeFileSync(file, "garbage");
  rmSync(files[1] ?? "");
  const { logins } = stage.rig.hsm.counters;
  await stage.run(ACTIVATE, CAST);
  assert.equal(stage.rig.hsm.counters.logins, logins + 1);
  files.forEach((file, i) => {
    writeFileSync(file, kept[i] ?? "");
  });
  assert.ok(existsSync(files[1] ?? ""));
  stage.judge();
  assert.deepEqual(stage.findings, []);
});
