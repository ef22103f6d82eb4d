/** A site with three tokens, each with its transport key: where tests of KEKs begin. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import type { KekCustody } from "../../src/ceremony/custody-copies.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { ORIGIN } from "./ledger-fixture.ts";
import { CAST, ESTABLISH, script } from "./stage-scripts.ts";
import { FOUNDERS, POLICY, THREE_TOKENS } from "./stage-site.ts";
import { Stage, type Cast } from "./stage.ts";

const TWO = "[ceremony-administrator, internal-witness]";

/** Escrow allowed, as only a policy with a CPS reference may. */
export const ESCROW_POLICY = `${POLICY}kek: { escrow: allowed, cps: "CPS:6.2.4" }\n`;

export const TOKENS = ["alpha", "beta", "gamma"] as const;

/** One step of a KEK script, by its action; the id is unique by `suffix`. */
export function kekStep(action: string, values: string, suffix = "", by = TWO): string {
  return `id: ${action}${suffix}, action: ${action}, by: ${by}, with: { ${values} }`;
}

/** A script with these tokens active around its steps. */
export function withTokens(tokens: readonly string[], steps: readonly string[]): string {
  const around = (action: string, by: string): readonly string[] =>
    tokens.map((token) => kekStep(action, `token: ${token}`, `-${token}`, by));
  return script([
    ...around("activate-token", "[custodian, custodian]"),
    ...steps,
    ...around("deactivate-token", "[custodian]"),
  ]);
}

export const FOR_BOTH = "kek: backup-kek, token: alpha, for: [alpha, beta]";
export const ESTABLISH_KEK = withTokens(["alpha"], [kekStep("establish-kek", FOR_BOTH)]);

/** Three initialised tokens with transport keys. */
export async function kekStage(policy = POLICY, origin = ORIGIN): Promise<Stage> {
  const stage = await Stage.create(FOUNDERS, policy, THREE_TOKENS, origin);
  await stage.run(ESTABLISH, CAST);
  const steps = TOKENS.map((token) =>
    kekStep("initialize-token", `token: ${token}, holders: custodian, officers: custodian`, token),
  );
  await stage.run(script(steps), CAST);
  const keys = TOKENS.map((token) => kekStep("make-transport-key", `token: ${token}`, `-${token}`));
  await stage.run(withTokens(TOKENS, keys), CAST);
  after(() => {
    stage.remove();
  });
  return stage;
}

/** A script that loads the KEK into a token. */
export function loadKek(token: string, more = ""): string {
  return withTokens([token], [kekStep("load-kek", `kek: backup-kek, token: ${token}${more}`)]);
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly says: RegExp;
  readonly cast?: Cast;
}

/** What tests say about the KEK of a stage. */
export function kekTools(stage: Stage): {
  readonly kek: (generation?: number) => KekCustody;
  /** Path of a file of the KEK at the site. */
  readonly file: (name: string, generation?: number) => string;
  /** The step is refused, no token is believed to hold more or less, and two people end the ceremony. */
  readonly refused: (yaml: string, refusal: Refusal) => Promise<void>;
  /** Alters one byte of an envelope while work is under way. */
  readonly altered: (name: string, work: () => Promise<unknown>) => Promise<void>;
} {
  const held = (): string =>
    JSON.stringify([...stage.history.custody.keks.values()].map(({ tokens }) => [...tokens]));
  const file = (name: string, generation = 1): string =>
    join(stage.folder, "keks", `backup-kek.g${generation}`, name);
  return {
    kek: (generation = 1) =>
      stage.history.custody.keks.get(`backup-kek.g${generation}`) ?? assert.fail("no KEK"),
    file,
    refused: async (yaml, { code, says, cast = CAST }) => {
      const before = held();
      await assert.rejects(stage.run(yaml, cast), (error) => {
        assert.ok(error instanceof KeyriteError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        return true;
      });
      assert.equal(held(), before);
      await stage.abandon({
        present: { ana: "ceremony-administrator", eve: "internal-witness" },
      });
    },
    altered: async (name, work) => {
      const right = readFileSync(file(name));
      const wrong = Uint8Array.from(right);
      wrong[9] = (wrong[9] ?? 0) ^ 1;
      writeFileSync(file(name), wrong);
      try {
        await work();
      } finally {
        writeFileSync(file(name), right);
      }
    },
  };
}

/** Counts C_UnwrapKey while work is under way. */
export async function unwrapsDuring(stage: Stage, work: () => Promise<unknown>): Promise<number> {
  let unwraps = 0;
  stage.rig.faults.before = (call) => {
    if (call === "unwrapKey" || call === "unwrapKeyNow") unwraps += 1;
  };
  try {
    await work();
  } finally {
    stage.rig.faults.before = undefined;
  }
  return unwraps;
}
