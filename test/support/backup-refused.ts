/** Restores and backups that have to stop: by name, on record, and without a copy more or less. */

import assert from "node:assert/strict";
import type { Entry } from "../../src/ledger/entry.ts";
import { exitCodeOf, KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { CAST } from "./stage-scripts.ts";
import type { Cast, Stage } from "./stage.ts";

const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

export interface Expected {
  readonly code: ErrorCode;
  readonly says: RegExp;
  readonly exit: number;
  readonly outcome?: Entry["type"];
}

/** Runs a script that must stop as expected, on record; two people then end the ceremony. */
export async function stopped(
  stage: Stage,
  yaml: string,
  expected: Expected,
  cast: Cast = CAST,
): Promise<KeyriteError> {
  const { size } = stage.history;
  const copies = copiesOf(stage);
  let thrown: unknown;
  await assert.rejects(stage.run(yaml, cast), (error) => {
    thrown = error;
    return true;
  });
  assert.ok(thrown instanceof KeyriteError, String(thrown));
  assert.equal(thrown.code, expected.code, thrown.message);
  assert.match(thrown.message, expected.says);
  assert.equal(exitCodeOf(thrown), expected.exit);
  assert.ok(thrown.hints.length > 0, "it says what to do next");
  const entries = stage.entries().slice(size);
  const last = entries.findLast(({ type }) => ["step.refused", "step.failed"].includes(type));
  assert.equal(last?.type, expected.outcome ?? "step.refused");
  assert.equal(last.data["code"], expected.code);
  assert.equal(copiesOf(stage), copies, "no copy is believed to have come or gone");
  if (stage.history.open !== null) await stage.abandon({ present: TWO });
  stage.judge();
  assert.deepEqual(stage.findings, []);
  return thrown;
}

/** Token copies of every key, as custody believes them. */
function copiesOf({ history }: Stage): string {
  return [...history.custody.copies]
    .map(([spki, { tokens }]) => `${spki} ${[...tokens.keys()].join()}`)
    .join("\n");
}
