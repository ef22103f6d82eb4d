/**
 * Issuing steps that were interrupted: a signature cannot be taken back, so they are finished with the
 * agreed bytes, and a file that lies there is kept only when it is the agreed one.
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { concerns } from "../../src/ceremony/concerns.ts";
import type { Hall } from "../../src/ceremony/hall.ts";
import { outbox } from "../../src/cli/site-files.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import {
  active,
  believed,
  below,
  certificate,
  crl,
  file,
  key,
  step,
  withHierarchy,
} from "../support/certificate-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();
const FINISH = { ...CAST, answers: { settle: "finish" } };
const STOP = { ...CAST, answers: { settle: "stop" } };

/** A hall whose disk fails at the nth file of the outbox; `torn` writes a part of it first. */
function failingAt(stage: Stage, nth: number, torn = false): Partial<Hall> {
  let count = 0;
  return {
    outbox: (ceremony) => {
      const real = outbox(stage.folder, ceremony);
      return {
        ...real,
        async writeOnce(name, bytes) {
          count += 1;
          if (count !== nth) return real.writeOnce(name, bytes);
          if (torn) await real.writeOnce(name, bytes.subarray(0, 20));
          throw new KeyriteError("site.disk", "the disk is full");
        },
      };
    },
  };
}

/** Runs these steps until the disk fails; the ceremony stays open with the step in doubt. */
async function interrupted(
  stage: Stage,
  yaml: string,
  nth: number,
  torn = false,
): Promise<readonly string[]> {
  await assert.rejects(
    stage.run(yaml, CAST, { hall: failingAt(stage, nth, torn) }),
    /disk is full/,
  );
  assert.ok((stage.history.open?.unsettled.size ?? 0) > 0);
  return stage.issued();
}

const SUB_B = active(key("sub-b"), below("sub-b"));

for (const nth of [1, 2, 3]) {
  test(`a certificate whose file number ${nth} could not be written is finished`, async (t) => {
    const stage = await withHierarchy(fork(t));
    const before = await interrupted(stage, SUB_B, nth);
    const der = nth === 1 ? undefined : sha256Hex(file(stage, "sub-b.der"));
    await stage.resume(FINISH);
    believed(stage);
    assert.equal(stage.issued().length, before.length + 4 - nth);
    const issued = certificate(stage, "sub-b");
    assert.equal(sha256Hex(file(stage, "sub-b.der")), issued.sha256);
    // What lay there whole was not signed again.
    if (der !== undefined) assert.equal(issued.sha256, der);
    for (const one of issued.files) assert.equal(sha256Hex(file(stage, one.file)), one.sha256);
  });

  test(`C14: a certificate whose file number ${nth} was torn is written anew`, async (t) => {
    const stage = await withHierarchy(fork(t));
    const before = await interrupted(stage, SUB_B, nth, true);
    await stage.resume(FINISH);
    believed(stage);
    assert.equal(stage.issued().length, before.length + 3 - nth);
    assert.match(
      stage.console.shown.join("\n"),
      /was not written to its end; finishing removes it/,
    );
    for (const one of certificate(stage, "sub-b").files) {
      assert.equal(sha256Hex(file(stage, one.file)), one.sha256);
    }
  });
}

test("a file that somebody else put there is neither kept nor removed", async (t) => {
  const stage = await withHierarchy(fork(t));
  const [first = ""] = (await interrupted(stage, SUB_B, 1)).filter((one) =>
    one.endsWith("/sub-a.der"),
  );
  const id = stage.history.open?.id ?? "";
  const place = join(stage.folder, "outbox", id);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "sub-b.der"), readFileSync(join(stage.folder, "outbox", first)));
  const theirs = sha256Hex(file(stage, "sub-b.der"));
  // Finishing is no choice.
  await assert.rejects(stage.resume(FINISH), /"finish" is not a choice/);
  await assert.rejects(stage.resume(STOP), /stays as it was found/);
  assert.equal(sha256Hex(file(stage, "sub-b.der")), theirs);
  assert.match(stage.console.shown.join("\n"), /sub-b\.der is whole and not what was agreed to/);
});

test("an interrupted CRL is finished under the number that was agreed to", async (t) => {
  const stage = await withHierarchy(fork(t));
  await interrupted(stage, active(crl("crl-2")), 2);
  const begun = stage
    .entries()
    .findLast((one) => one.type === "step.begun" && one.step === "crl-2");
  await stage.resume(FINISH);
  believed(stage);
  const [last] = [...stage.history.custody.crls.values()];
  const intent = begun?.data["intent"] as { readonly number: number };
  assert.equal(last?.number, intent.number);
  assert.equal(sha256Hex(file(stage, "crl-2.crl")), last.sha256);
});

test("an interrupted request is finished", async (t) => {
  const stage = await withHierarchy(fork(t));
  const about = 'token: alpha, key: sub-a, subject: "CN=sub-a,O=Example,C=DE", file: sub-a-req';
  await interrupted(stage, active(step("request", "make-csr", about)), 2);
  await stage.resume(FINISH);
  believed(stage);
  assert.equal(stage.history.custody.requests.size, 1);
});

test("a certificate that may have been signed is on record when its ceremony is abandoned", async (t) => {
  const stage = await withHierarchy(fork(t));
  await interrupted(stage, SUB_B, 1);
  const begun = stage.entries().findLast((one) => one.type === "step.begun");
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  const intent = begun?.data["intent"] as { readonly serial: string };
  const text = concerns(stage.history, []).join("\n");
  assert.match(
    text,
    new RegExp(`^RED: ceremony .* a certificate with serial ${intent.serial} may`, "m"),
  );
});
