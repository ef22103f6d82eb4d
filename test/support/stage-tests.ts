/** How tests use stages: one founded site for a file, a fork of it for every case. */

import assert from "node:assert/strict";
import { after, type TestContext } from "node:test";
import { custodyJson } from "../../src/ceremony/custody-json.ts";
import { canonicalJson } from "../../src/lib/json.ts";
import { foundedStage } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

export type Fork = (t: TestContext) => Stage;

/** A founded site, prepared further once; returns what forks it for a test and removes the fork. */
export async function stageTests(
  prepare: (stage: Stage) => unknown = () => undefined,
): Promise<Fork> {
  const founded = await foundedStage();
  await prepare(founded);
  assert.deepEqual(founded.findings, []);
  after(() => {
    founded.remove();
  });
  return (t) => {
    const stage = founded.fork();
    stage.clock.time += 60_000;
    t.after(() => {
      stage.remove();
    });
    return stage;
  };
}

/** Everything that is believed, in a form to compare: also what custody's digest leaves out. */
export function believed({ history: { custody, policy } }: Stage): string {
  return canonicalJson({
    custody: custodyJson(custody),
    attending: custody.attending.map((one) => ({ ...one })),
    active: [...custody.active],
    files: [...custody.files],
    policy: policy?.sha256 ?? null,
  });
}

/** Asserts that the finding about this entry says this, now and when the ledger is judged anew. */
export function assertFound(stage: Stage, seq: number, text: RegExp): void {
  const about = (): readonly string[] =>
    stage.findings.filter((finding) => finding.startsWith(`${seq} `));
  const live = about();
  assert.ok(
    live.some((finding) => text.test(finding)),
    `entry ${seq}: no ${String(text)} among ${JSON.stringify(stage.findings)}`,
  );
  stage.judge();
  assert.deepEqual(about(), live);
}

/** `line:col text – hint` of every objection. */
export function objections(
  stage: Stage,
  yaml: string,
  set?: Record<string, string>,
): readonly string[] {
  const planning = stage.planning(yaml, set);
  if (planning.ok) return [];
  return planning.objections.map(({ at, text, hint }) => {
    assert.match(at, /^script\.yaml:\d+:\d+$/);
    const place = at.replace("script.yaml:", "");
    return `${place} ${text}${hint === undefined ? "" : ` – ${hint}`}`;
  });
}
