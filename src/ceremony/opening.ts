/** The entry that opens a ceremony: what the plan, the site and the software are, and which head came before. */

import { sha256Hex, utf8 } from "../lib/encoding.ts";
import { canonicalJson } from "../lib/json.ts";
import type { Hall } from "./hall.ts";
import type { Plan } from "./plan.ts";
import type { Attached, Recorder } from "./recorder.ts";

/** Appends `ceremony.opened` with everything it cites, and says so to the room. */
export function openCeremony(hall: Hall, recorder: Recorder, plan: Plan, ceremony: string): void {
  const planBytes = utf8(canonicalJson(plan.document));
  const attached: Attached[] = [
    { mediaType: "application/yaml", bytes: plan.script.bytes },
    { mediaType: "application/json", bytes: planBytes },
    { mediaType: "application/yaml", bytes: hall.bindings.bytes },
    ...plan.inputs,
  ];
  recorder.append(
    {
      type: "ceremony.opened",
      ceremony,
      description: `${plan.script.title} (${plan.script.name} ${plan.script.version}).`,
      policyRefs: plan.script.policyRefs,
      data: {
        title: plan.script.title,
        script: plan.script.sha256,
        caClass: plan.script.caClass,
        plan: sha256Hex(planBytes),
        bindings: hall.bindings.sha256,
        policy: hall.policy.sha256,
        software: { ...hall.software },
        modules: Object.entries(plan.modules).map(([module, sha256]) => ({ module, sha256 })),
        assurance: hall.genesis.assurance,
        previous: previousHead(recorder),
      },
    },
    attached,
  );
  hall.console.heading(plan.script.title);
  hall.console.tell(`Ceremony ${ceremony}`);
  hall.console.tell(`Plan ${plan.sha256}`);
  if (hall.genesis.assurance === "test") hall.console.warn("TEST – not a production site");
}

/** The previous cosigned checkpoint, verbatim with its cosignatures, or null. */
function previousHead(recorder: Recorder): string | null {
  const { cosigned } = recorder.history;
  if (cosigned === 0) return null;
  const { ledger } = recorder;
  const note = ledger.checkpoint(cosigned);
  if (note === undefined) return null;
  return (
    note +
    ledger
      .cosignatures(cosigned)
      .map(({ line }) => `${line}\n`)
      .join("")
  );
}
