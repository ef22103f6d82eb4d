/**
 * H08, H11, H13: what a token says of its PIN is read to everybody before anybody is asked; no dangerous object goes
 * unseen; and no call changes or copies a private key but the one that locks it.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import { CKA, PIN_FLAGS, type AttributeName } from "../../src/hsm/constants.ts";
import { LINT_RULES } from "../../src/hsm/lint.ts";
import type { RawAttribute } from "../../src/hsm/raw.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { backedUp, backupStage, restore } from "../support/backup-stage.ts";
import { behindOurBack, ready } from "../support/backup-rig.ts";
import { fakeRig } from "../support/fake-hsm.ts";
import { figure, sampled } from "../support/fault-run.ts";
import { CAST } from "../support/stage-scripts.ts";
import { ACTIVATE, SharedStage, TWO } from "../support/wrong-shares.ts";

/** With these the next wrong PIN is the last, or there is none any more. */
const FINAL: readonly string[] = ["CKF_USER_PIN_FINAL_TRY", "CKF_USER_PIN_LOCKED"];

test("H08: whatever a token warns of is read to the room before the first is asked, and a last try is never taken", async () => {
  const shared = await SharedStage.create();
  const { stage } = shared;
  after(() => {
    stage.remove();
  });
  const names = Object.keys(PIN_FLAGS);
  const counts = {
    ...{ combinations: 0, logins: 0, activated: 0, neverTried: 0 },
    ...{ unread: 0, retried: 0, sharesAskedFor: 0 },
  };
  // All combinations of the flags: a token may warn of several things at once.
  for (const code of sampled([...Array(2 ** names.length).keys()], 32)) {
    const shown = names.filter((_, i) => (code & (1 << i)) !== 0);
    const flags = shown.reduce((all, name) => all | PIN_FLAGS[name as keyof typeof PIN_FLAGS], 0);
    stage.rig.faults.tokenInfo = (info) => ({ ...info, flags: info.flags | flags });
    const last = shown.some((name) => FINAL.includes(name));
    let logins = 0;
    stage.rig.faults.before = (call) => {
      if (call === "login") logins += 1;
    };
    let readBefore: readonly string[] | undefined;
    const agrees = ({ step }: { step: string }): boolean => {
      if (step !== "activate") return true;
      readBefore ??= [...stage.console.shown];
      if (last) counts.sharesAskedFor += 1;
      return true;
    };
    const run = stage.run(ACTIVATE, { ...CAST, agrees });
    if (last) {
      await assert.rejects(
        run,
        (error) =>
          error instanceof KeyriteError &&
          error.code === "hsm.pin-locked" &&
          error.hints.join().includes("from their backup on another token"),
      );
      readBefore ??= [...stage.console.shown];
      await stage.abandon({ present: TWO });
      counts.neverTried += 1;
      counts.logins += logins;
    } else {
      await run;
      counts.activated += 1;
      if (logins > 1) counts.retried += 1;
    }
    counts.combinations += 1;
    counts.unread += shown.filter(
      (name) =>
        readBefore?.some((line) => line.endsWith(`WARNING: the token reports ${name}`)) !== true,
    ).length;
  }
  figure("H08", "combinations of PIN flags at an activation", counts);
  assert.deepEqual(
    [counts.logins, counts.unread, counts.retried, counts.sharesAskedFor],
    [0, 0, 0, 0],
  );
  assert.ok(counts.neverTried > 0 && counts.activated > 0);
});

type Flags = Partial<Record<AttributeName, boolean>>;

interface Template {
  readonly of: "secret" | "private";
  readonly flags: Flags;
}

const KEK: Flags = { WRAP: true, UNWRAP: true };

/** Objects that must not lie on a token of a CA, as the literature of attacks on PKCS#11 has them. */
const DANGEROUS: readonly Template[] = [
  ...(
    [
      { ...KEK, DECRYPT: true },
      { WRAP: true, DECRYPT: true },
      { WRAP: true, DECRYPT: true, ENCRYPT: true },
      { UNWRAP: true, ENCRYPT: true },
      { ...KEK, ENCRYPT: true },
      { ...KEK, ENCRYPT: true, DECRYPT: true },
      { ...KEK, SIGN: true },
      { ...KEK, VERIFY: true },
      { ...KEK, DERIVE: true },
      { WRAP: true, DERIVE: true },
      { ...KEK, EXTRACTABLE: true },
      { WRAP: true, EXTRACTABLE: true },
      { UNWRAP: true, EXTRACTABLE: true },
      { ...KEK, MODIFIABLE: true },
      { WRAP: true, MODIFIABLE: true },
      { ...KEK, COPYABLE: true },
      { ...KEK, PRIVATE: false },
      { PRIVATE: false, DECRYPT: true },
      { SENSITIVE: false },
      { SENSITIVE: false, EXTRACTABLE: true, ENCRYPT: true },
      KEK,
      { WRAP: true },
      { UNWRAP: true },
    ] as readonly Flags[]
  ).map((flags): Template => ({ of: "secret", flags })),
  ...(
    [
      { SIGN: true, EXTRACTABLE: true },
      { SIGN: true, DECRYPT: true },
      { SIGN: true, UNWRAP: true },
      { DECRYPT: true, UNWRAP: true },
      { SIGN: true, SIGN_RECOVER: true },
      { SIGN_RECOVER: true },
      { SIGN: true, DERIVE: true },
      { SIGN: true, PRIVATE: false },
      { SIGN: true, SENSITIVE: false },
      { SIGN: true, COPYABLE: true },
      { DECRYPT: true, COPYABLE: true },
      { SIGN: true, EXTRACTABLE: true, MODIFIABLE: true },
    ] as readonly Flags[]
  ).map((flags): Template => ({ of: "private", flags })),
];

const SAFE: Flags = { TOKEN: true, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false };
const NONE: Flags = {
  ...{ ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false, WRAP: false, UNWRAP: false },
  ...{ DERIVE: false, COPYABLE: false, MODIFIABLE: false },
};
const NO_USE: Flags = {
  ...{ DECRYPT: false, SIGN: false, SIGN_RECOVER: false, UNWRAP: false },
  ...{ DERIVE: false, COPYABLE: false },
};

function entries(...flags: readonly Flags[]): readonly RawAttribute[] {
  const merged = Object.assign({}, ...flags) as Flags;
  return Object.entries(merged).map(([name, value]) => encode(name as AttributeName, value));
}

test(`H11: each of ${DANGEROUS.length} dangerous objects on a token is reported`, async () => {
  const state = await ready(fakeRig());
  const counts = { objects: 0, flagged: 0, missed: 0, rules: 0 };
  const used = new Set<string>();
  for (const [index, { of, flags }] of DANGEROUS.entries()) {
    const id = encode("ID", Uint8Array.of(0xda, index));
    await behindOurBack(state, async (raw, session) => {
      if (of === "secret") {
        const value = encode("VALUE", new Uint8Array(32).fill(index));
        const kind = [encode("CLASS", 4), encode("KEY_TYPE", 0x1f), id, value];
        raw.createObjectNow(session, [...kind, ...entries(SAFE, NONE, flags)]);
        return;
      }
      const size = [
        encode("MODULUS_BITS", 3072),
        encode("PUBLIC_EXPONENT", Uint8Array.of(1, 0, 1)),
      ];
      const open = entries({ TOKEN: true, PRIVATE: false, ENCRYPT: false });
      await raw.generateKeyPair(
        session,
        0x0,
        [id, ...size, ...open],
        [id, ...entries(SAFE, NO_USE, flags)],
      );
    });
    const ckaId = `da${index.toString(16).padStart(2, "0")}`;
    const findings = await state.session.lintObjects({ keks: [state.kek.ckaId] });
    const found = findings.filter((one) => one.ckaId === ckaId && one.objectClass === of);
    for (const { rule } of found) used.add(rule);
    counts.objects += 1;
    if (found.length > 0) counts.flagged += 1;
    else {
      counts.missed += 1;
      process.stdout.write(`missed: ${JSON.stringify({ of, flags })}\n`);
    }
  }
  counts.rules = used.size;
  await state.rig.hsm.close();
  state.rig.remove();
  figure("H11", "dangerous objects planted on a token", counts);
  assert.equal(counts.missed, 0);
  const ofThese = LINT_RULES.filter(({ classes }) => !classes.includes("public"));
  assert.deepEqual(
    ofThese.filter(({ name }) => !used.has(name)).map(({ name }) => name),
    [],
  );
});

test("H13: of all attributes of all keys only CKA_EXTRACTABLE is ever set, to false, and nothing is copied", async () => {
  const stage = await backupStage();
  const counts = { ceremonies: 0, changes: 0, locks: 0, others: 0, copies: 0 };
  stage.rig.faults.changes = (attributes) => {
    counts.changes += 1;
    const [only] = attributes;
    const locks =
      attributes.length === 1 && only?.type === CKA.EXTRACTABLE.type && only.value[0] === 0;
    counts[locks ? "locks" : "others"] += 1;
  };
  await stage.run(backedUp(["root-g1", "sub-a"]), CAST);
  await stage.run(backedUp(["sub-b"], "p-384"), CAST);
  await stage.run(restore("beta", "all-ca-keys"), CAST);
  counts.ceremonies = 3;
  counts.copies = stage.rig.modules.filter((module) => "copyObject" in module).length;
  figure("H13", "attributes set over backup, lock and restore", counts);
  assert.equal(counts.locks, 3, "a key is locked once");
  assert.deepEqual([counts.others, counts.copies], [0, 0]);
});
