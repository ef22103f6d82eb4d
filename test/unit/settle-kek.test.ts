/** Steps about KEKs that were interrupted: what is found, what may be decided, and what is left after. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { destroyKek } from "../../src/actions/destroy-kek.ts";
import { establishKek } from "../../src/actions/establish-kek.ts";
import { loadKek as loadAction } from "../../src/actions/load-kek.ts";
import { makeTransportKey } from "../../src/actions/make-transport-key.ts";
import { sendKek } from "../../src/actions/send-kek.ts";
import { transportName, transportSpki } from "../../src/actions/lib/transports.ts";
import type { Act, Action, BoundStep, Room, Settlement } from "../../src/ceremony/action.ts";
import { parseKekFile } from "../../src/backups/kek-file.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import type { Session } from "../../src/hsm/token.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { ESTABLISH_KEK, kekStage, kekTools, TOKENS } from "../support/kek-stage.ts";
import { probing } from "../support/probe.ts";
import { CAST } from "../support/stage-scripts.ts";

const CKA_ID = "5e771e5e771e5e77";
const stage = await kekStage();
await stage.run(ESTABLISH_KEK, CAST);
const { kek, file } = kekTools(stage);

const probe = probing(stage);
const inside = (work: (room: Room) => Promise<void>): Promise<void> => probe(TOKENS, work);

interface Interrupted {
  readonly settle: () => Promise<Settlement>;
  readonly undo: (found: Settlement) => Promise<void>;
  readonly finish: (found: Settlement) => Promise<JsonObject>;
}

/** A step as it stands after a crash: begun with this intent, without an outcome. */
function interrupted(
  room: Room,
  action: Action,
  params: JsonObject,
  intent: JsonObject,
): Interrupted {
  const bound: BoundStep = action.bind(params);
  const doubt = { intent, group: null, done: new Set<string>() };
  const act = { subject: intent, contributions: [] } as unknown as Act<JsonObject>;
  return {
    settle: async () => (await bound.settle(room, doubt)) ?? assert.fail("it cannot be settled"),
    undo: (found) => bound.undo(room, doubt, found.data),
    finish: async ({ data }) => (await bound.run(room, { ...act, settled: data })).evidence,
  };
}

async function count(session: Session, ckaId = CKA_ID): Promise<number> {
  return (await session.inventory()).filter((one) => one.ckaId === ckaId).length;
}

const transportRequest = {
  label: "transport-2",
  ckaId: CKA_ID,
  algorithm: "rsa-3072",
  purpose: "transport",
  extractable: false,
} as const;

test("make-transport-key: a key that nobody confirmed is destroyed; without one it is made", async () => {
  await inside(async (room) => {
    const session = room.tokens.session("alpha");
    const intent = { ckaId: CKA_ID, serial: session.info.serial };
    const step = interrupted(room, makeTransportKey, { token: "alpha" }, intent);
    assert.deepEqual((await step.settle()).choices, ["finish", "undo"]);
    await session.generateKeyPair(transportRequest);
    const found = await step.settle();
    assert.deepEqual(found.choices, ["undo"]);
    assert.match(found.shown.join(), /holds 2 objects with CKA_ID 5e77/);
    await step.undo(found);
    assert.equal(await count(session), 0);
    // Undoing twice, as after a crash in the middle of it, is no error.
    await step.undo(found);
  });
});

function newKek(room: Room): { readonly params: JsonObject; readonly intent: JsonObject } {
  const openers = ["alpha", "beta"].map((token) => {
    const { spki, oaep } = room.custody.transports.get(token) ?? assert.fail(token);
    return { token, spki, oaep: [...oaep] };
  });
  const kept = { kek: "second-kek", generation: 1, mode: "hsm-to-hsm", ckaId: CKA_ID };
  return {
    params: { kek: "second-kek", token: "alpha", for: ["alpha", "beta"] },
    intent: { ...kept, serial: "s", openers, fingerprintsHeardBy: ["ana", "eve"], shareSet: null },
  };
}

test("establish-kek: half a KEK goes as a whole, its envelopes too; then it can be finished", async () => {
  await inside(async (room) => {
    const session = room.tokens.session("alpha");
    const { params, intent } = newKek(room);
    const step = interrupted(room, establishKek, params, intent);
    await session.establishKek({
      label: "second-kek.g1",
      ckaId: CKA_ID,
      ownTransport: transportName(room, "alpha"),
      transports: [{ spki: transportSpki(room, room.custody.transports.get("beta")?.spki ?? "") }],
    });
    await room.files.writeKekFile("second-kek.g1", "alpha.envelope", Uint8Array.of(1));
    const found = await step.settle();
    assert.deepEqual(found.choices, ["undo"]);
    assert.match(found.shown.join("\n"), /holds one object.*\nFiles .*: alpha\.envelope\./);
    await step.undo(found);
    assert.equal(await count(session), 0);
    await assert.rejects(room.files.readKekFile("second-kek.g1", "alpha.envelope"), {
      code: "site.missing",
    });
    const clean = await step.settle();
    assert.deepEqual(clean.choices, ["finish", "undo"]);
    const evidence = await step.finish(clean);
    assert.equal(evidence["ckaId"], CKA_ID);
    assert.equal(await count(session), 1);
    await step.undo(await step.settle());
    assert.equal(await count(session), 0);
  });
});

test("establish-kek: files of a generation that nobody recorded stop the next attempt", async () => {
  await inside(async (room) => {
    await room.files.writeKekFile("third-kek.g1", "kek.json", Uint8Array.of(1));
    const params = { kek: "third-kek", token: "alpha", for: ["alpha", "beta"] };
    await assert.rejects(establishKek.bind(params).subject(room), {
      code: "site.file-exists",
      message: /third-kek\.g1\/kek\.json is there already/,
    });
  });
});

test("load-kek: what is there and right is kept, what is wrong is destroyed", async () => {
  await inside(async (room) => {
    const session = room.tokens.session("beta");
    const { checkValue, envelopes } = kek();
    const own = envelopes.get("beta") ?? assert.fail("no envelope");
    const intent = {
      ...{ kek: "backup-kek", generation: 1, checkValue, ckaId: CKA_ID, serial: "s" },
      ...{ envelope: own.sha256, holders: [], adopt: null },
    };
    const params = { kek: "backup-kek", token: "beta" };
    const step = interrupted(room, loadAction, params, intent);
    const absent = await step.settle();
    assert.deepEqual(absent.choices, ["finish", "undo"]);
    await step.finish(absent);
    const right = await step.settle();
    assert.match(right.shown.join(), /It is the KEK, with its recorded check value/);
    assert.deepEqual(right.choices, ["finish", "undo"]);
    assert.deepEqual((await step.finish(right))["ckaId"], CKA_ID);
    assert.equal(await count(session), 1, "nothing is loaded twice");
    const other = { ...intent, checkValue: "0123456789abcdef" };
    const wrong = await interrupted(room, loadAction, params, other).settle();
    assert.match(wrong.shown.join(), /It is not what it should be: .*check value/);
    assert.deepEqual(wrong.choices, ["undo"]);
    await step.undo(right);
    assert.equal(await count(session), 0);
    // Shares are brought only by people who agree to the step.
    const escrowed = { ...intent, envelope: null, holders: ["ben", "cleo"] };
    const shares = await interrupted(room, loadAction, params, escrowed).settle();
    assert.deepEqual(shares.choices, ["undo"]);
  });
});

test("H01: a token that fails while a KEK is looked at says nothing of the KEK", async () => {
  await inside(async (room) => {
    const { checkValue, tokens } = kek();
    const ckaId = tokens.get("alpha") ?? "";
    const params = { kek: "backup-kek", generation: 1, token: "alpha" };
    const step = interrupted(room, destroyKek, params, { ckaId, checkValue, serial: "s" });
    assert.match((await step.settle()).shown.join(), /It is the KEK, with its recorded check/);
    const { faults } = stage.rig;
    try {
      for (const code of [0x30, 0x32, 0x101]) {
        faults.before = (call) => {
          if (call === "wrapKeyNow") throw ckrError("C_WrapKey", code);
        };
        await assert.rejects(step.settle(), ckrError("C_WrapKey", code));
      }
      faults.before = (call) => {
        if (call === "wrapKeyNow") throw ckrError("C_WrapKey", 0x68);
      };
      assert.match((await step.settle()).shown.join(), /It is not what it should be: .*CKR_KEY/);
    } finally {
      faults.before = undefined;
    }
  });
});

test("send-kek: an envelope without a record is removed, or made once more", async () => {
  await inside(async (room) => {
    const { spki, oaep } = room.custody.transports.get("gamma") ?? assert.fail("gamma");
    const { checkValue } = kek();
    const intent = {
      ...{ kek: "backup-kek", generation: 1, checkValue },
      ...{ to: { token: "gamma", spki, oaep: [...oaep] }, fingerprintsHeardBy: ["ana", "eve"] },
    };
    const params = { kek: "backup-kek", from: "alpha", to: "gamma" };
    const step = interrupted(room, sendKek, params, intent);
    const before = readFileSync(file("kek.json"));
    writeFileSync(file("gamma.envelope"), "half an envel");
    const found = await step.settle();
    assert.match(found.shown.join(), /gamma\.envelope .* is at the site, and not on record/);
    assert.deepEqual(found.choices, ["finish", "undo"]);
    await step.finish(found);
    const names = parseKekFile(readFileSync(file("kek.json"))).envelopes.map((e) => e.token);
    assert.deepEqual(names, ["alpha", "beta", "gamma"]);
    await step.undo(await step.settle());
    assert.deepEqual(readFileSync(file("kek.json")), before);
    assert.ok(!existsSync(file("gamma.envelope")));
  });
});

test("destroy-kek: what is gone stays gone, what is there may stay or go", async () => {
  await inside(async (room) => {
    const session = room.tokens.session("alpha");
    const { checkValue, tokens } = kek();
    const ckaId = tokens.get("alpha") ?? "";
    const params = { kek: "backup-kek", generation: 1, token: "alpha" };
    const step = interrupted(room, destroyKek, params, { ckaId, checkValue, serial: "s" });
    const there = await step.settle();
    assert.deepEqual(there.choices, ["finish", "undo"]);
    await step.undo(there);
    assert.equal(await count(session, ckaId), 1);
    await step.finish(there);
    const gone = await step.settle();
    assert.deepEqual(gone.choices, ["finish"]);
    await step.finish(gone);
    assert.equal(await count(session, ckaId), 0);
  });
});
