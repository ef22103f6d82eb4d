/** `keyrite check`: reads, binds and plans a script; prints the plan or every objection at once. */

import { ableAt } from "../ceremony/people-dates.ts";
import { scriptRefused, scriptSchema } from "../ceremony/script.ts";
import { timestamp } from "../lib/clock.ts";
import { jsonSchemaOf } from "../lib/schema.ts";
import { visible } from "../lib/encoding.ts";
import type { Plan, PlanStep } from "../ceremony/plan.ts";
import type { SeenToken } from "./hsm.ts";
import { printJson, printLine } from "./output.ts";
import { readVaultOptions } from "./vaults.ts";
import { systemClock } from "./system.ts";
import { findScript, planOnSite, readSetOptions } from "./planning.ts";
import { openSite, siteFolder, type OpenSite } from "./site.ts";

export interface CheckOptions {
  readonly site?: string;
  readonly set: readonly string[];
  readonly vault: readonly string[];
  readonly tokens?: boolean;
  readonly schema?: boolean;
  readonly json?: boolean;
}

export async function check(name: string | undefined, options: CheckOptions): Promise<void> {
  if (options.schema === true || name === undefined) {
    printLine(JSON.stringify(jsonSchemaOf(scriptSchema), null, 2));
    return;
  }
  const file = findScript(name);
  const site = openSite(siteFolder(options.site), { write: false });
  try {
    const planning = await planOnSite(site, file, readSetOptions(options.set), [
      ...readVaultOptions(options.vault).keys(),
    ]);
    if (!planning.ok) {
      if (options.json === true) {
        printJson("check", {
          ok: false,
          objections: planning.objections.map(({ at, text, hint }) => ({
            at,
            text,
            hint: hint ?? null,
          })),
        });
      }
      throw scriptRefused(file.path, planning.objections);
    }
    const tokens = options.tokens === true ? await lookAtTokens(site, planning.plan) : [];
    if (options.json === true) {
      const { document, sha256 } = planning.plan;
      printJson("check", { ok: true, sha256, plan: document, tokens });
      return;
    }
    for (const { token, model, serial } of tokens) {
      printLine(`Token ${token}: ${visible(model)}, serial ${visible(serial)}, found.`);
    }
    printPlan(planning.plan, site);
  } finally {
    site.ledger.close();
  }
}

const CONTROLS: Readonly<Record<PlanStep["control"], string>> = {
  none: "stated by",
  single: "agreed to by",
  dual: "under dual control, agreed to by",
  everyone: "agreed to by",
};

function printPlan(plan: Plan, site: OpenSite): void {
  const { script } = plan;
  printLine(`${visible(script.title)} (${script.name} ${script.version})`);
  printLine(`  origin  ${site.genesis.origin} (${site.genesis.assurance})`);
  printLine(`  script  ${script.sha256}`);
  printLine(`  plan    ${plan.sha256}`);
  const roles = Object.entries(script.roles).map(([role, count]) => `${count} × ${role}`);
  printLine(`  people  ${roles.join(", ")}`);
  const everybody = ableAt(site.history.custody, timestamp(systemClock.now()));
  for (const [role] of Object.entries(script.roles)) {
    const able = everybody
      .filter((p) => (p.roles as readonly string[]).includes(role))
      .map((p) => p.person);
    if (able.length > 0) printLine(`          ${role}: ${able.join(", ")}`);
  }
  for (const step of plan.steps) {
    const by = step.by === "everyone" ? "everyone" : step.by.join(", ");
    printLine(`${String(step.n).padStart(4)}  ${step.id}: ${visible(step.instruction)}`);
    printLine(`      ${CONTROLS[step.control]} ${by}`);
  }
  printLine("No objections: the script can be performed.");
}

async function lookAtTokens(site: OpenSite, plan: Plan): Promise<readonly SeenToken[]> {
  const { inspectTokens } = await import("./hsm.ts");
  return inspectTokens(site, plan);
}
