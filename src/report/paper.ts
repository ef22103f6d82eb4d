/** The paper script: a plan as a printable table with boxes for initials and times. */

import type { Genesis } from "../ceremony/genesis.ts";
import type { Plan } from "../ceremony/plan.ts";
import { stringOf } from "../ceremony/record.ts";
import { groupedHex, visible } from "../lib/encoding.ts";

/** Markdown, ready to print; step numbers are those of the ledger and of the screen. */
export function paperScript(plan: Plan, genesis: Genesis): string {
  const { script } = plan;
  const lines = [
    `# ${cell(script.title)}`,
    "",
    `Script ${script.name} ${script.version} · site ${genesis.origin} (${genesis.assurance})`,
    "",
    `    Script  ${groupedHex(script.sha256)}`,
    `    Plan    ${groupedHex(plan.sha256)}`,
    `    Policy  ${groupedHex(stringOf(plan.document, "policy") ?? genesis.policy)}`,
    "",
    `References: ${script.policyRefs.join(", ") || "none"}`,
    "",
    "| role | name | signature |",
    "| --- | --- | --- |",
  ];
  for (const [role, count] of Object.entries(script.roles)) {
    for (let i = 0; i < count; i += 1) lines.push(`| ${role} | | |`);
  }
  lines.push(
    "",
    "| step | activity | by | initials | time (UTC) |",
    "| --- | --- | --- | --- | --- |",
  );
  for (const step of plan.steps) {
    const by = step.by === "everyone" ? "everyone" : step.by.join(", ");
    const refs = step.policyRefs.length > 0 ? ` (${step.policyRefs.join(", ")})` : "";
    lines.push(`| ${step.n} | **${step.id}** ${cell(step.instruction)}${refs} | ${by} | ☐ | |`);
  }
  lines.push(
    "",
    "## Exception sheet",
    "",
    "| step | what was expected | what happened | what was decided | initials of two |",
    "| --- | --- | --- | --- | --- |",
    "| | | | | |",
    "| | | | | |",
    "",
    "## After the ceremony",
    "",
    "Head: size ________  root (32 words) ______________________________________________",
    "",
    "The script was followed ☐ without / ☐ with the deviations listed above.",
  );
  return lines.join("\n");
}

/** Text inside a table cell: nothing in it may end the cell or start markup of its own. */
function cell(text: string): string {
  return visible(text).replace(/[|<>`*_[\]]/g, "\\$&");
}
