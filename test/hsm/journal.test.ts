/** The PKCS#11 call journal: what was called on which token, counted, the same from a process of its own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addRows, Journal, TokenOfSession, type JournalRow } from "../../src/hsm/journal.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { CKM } from "../../src/hsm/constants.ts";
import type { Hsm, ModuleBinding } from "../../src/hsm/token.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { hosted } from "../support/hosted.ts";
import { secret } from "../support/rig.ts";
import { softhsmRig } from "../support/softhsm.ts";

/** A token made, a key on it, a signature, and a PIN tried in vain: what each call was counted as. */
async function performed(hsm: Hsm, module: ModuleBinding): Promise<readonly JournalRow[]> {
  await hsm.initialize(module, "alpha", secret("officer-pin"), secret("user-pin"));
  const info = (await hsm.tokens(module)).find(({ initialized }) => initialized);
  assert.ok(info);
  const session = await hsm.login(module, info.serial, "alpha", secret("user-pin"));
  await session.generateKeyPair({
    ...{ label: "root", ckaId: "0102", algorithm: "p-256", purpose: "ca-signing" },
    extractable: false,
  });
  await session.logout();
  await assert.rejects(hsm.login(module, info.serial, "alpha", secret("wrong-pin")));
  return hsm
    .journal()
    .map(([token, ...rest]) => [token === info.serial ? "alpha" : token, ...rest]);
}

test("calls are counted by token, function, mechanism and result, in a process of its own too", async () => {
  const journals: (readonly JournalRow[])[] = [];
  for (const apart of [false, true]) {
    const rig = softhsmRig();
    const hsm = apart ? hosted() : rig.hsm;
    journals.push(await performed(hsm, rig.module));
    assert.deepEqual(hsm.journal(), [], "what was taken is not told again");
    await hsm.close();
    rig.remove();
  }
  const [here = [], there] = journals;
  assert.deepEqual(there, here);
  const told = (call: string): readonly JournalRow[] => here.filter((row) => row[1] === call);
  assert.deepEqual(told("C_Login"), [
    ["alpha", "C_Login", "-", "CKR_OK", 3],
    ["alpha", "C_Login", "-", "CKR_PIN_INCORRECT", 1],
  ]);
  assert.deepEqual(told("C_GenerateKeyPair"), [
    ["alpha", "C_GenerateKeyPair", "CKM_EC_KEY_PAIR_GEN", "CKR_OK", 1],
  ]);
  const [sign] = told("C_Sign");
  assert.deepEqual(sign?.slice(0, 4), ["alpha", "C_Sign", "CKM_ECDSA", "CKR_OK"]);
  assert.deepEqual(told("C_InitToken"), [["-", "C_InitToken", "-", "CKR_OK", 1]]);
  assert.equal(here[0]?.[1], "C_Initialize", "in order of first appearance");
});

test("no value and no handle stands in it", async () => {
  const rig = softhsmRig();
  const rows = await performed(rig.hsm, rig.module);
  await rig.hsm.close();
  rig.remove();
  for (const [token, call, mechanism, ckr, count] of rows) {
    assert.match(token, /^(-|alpha)$/);
    assert.match(call, /^C_[A-Za-z]+$/);
    assert.match(mechanism, /^(-|CKM_[A-Z0-9_]+)$/);
    assert.match(ckr, /^CKR_[A-Z_]+$/);
    assert.ok(Number.isSafeInteger(count) && count > 0);
  }
});

test("an error that no call returned is not counted as one", () => {
  const journal = new Journal();
  journal.failed("C_Sign", new KeyriteError("halted.interrupted", "not made"));
  assert.deepEqual(journal.take(), []);
  journal.failed("C_Sign", ckrError("C_Sign", 0x30), { token: "S1", mechanism: CKM.ECDSA });
  assert.deepEqual(journal.take(), [["S1", "C_Sign", "CKM_ECDSA", "CKR_DEVICE_ERROR", 1]]);
});

test("a module that answers with ever new codes does not make the record longer and longer", () => {
  const journal = new Journal();
  for (let code = 1; code <= 1000; code += 1) {
    journal.failed("C_Sign", ckrError("C_Sign", 0x8000_0000 + code));
  }
  journal.succeeded("C_Sign");
  const rows = journal.take();
  assert.equal(rows.length, 201);
  assert.deepEqual(rows.at(-1), ["-", "others", "-", "-", 801]);
  const sum = addRows(rows, rows);
  assert.equal(sum.length, 201);
  assert.equal(
    sum.reduce((all, row) => all + row[4], 0),
    2002,
  );
});

test("a serial that a device made up is told only when it is plain text", () => {
  const tokens = new TokenOfSession();
  for (const serial of ["", "a\u0000b", "\ufffd\ufffd", "12345678901234567", "ä"]) {
    tokens.seen(1n, serial);
    tokens.opened(7n, 1n);
    assert.equal(tokens.of(7n)?.token, "-");
  }
  tokens.seen(1n, "HSM 0815");
  tokens.opened(7n, 1n);
  assert.equal(tokens.of(7n)?.token, "HSM 0815");
  tokens.closed(7n);
  assert.equal(tokens.of(7n), undefined);
  tokens.opened(8n, 2n);
  assert.equal(tokens.of(8n)?.token, "-", "of a slot that nobody looked at");
});
