/** Giving up a ceremony: two people agree to what was found, and the doubt, if any, is on record. */

import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Participant } from "./action.ts";
import { cosignHead, type Closing } from "./closing.ts";
import { decide } from "./decision.ts";
import { findingLines, requireCarriedHeads } from "./finding.ts";
import type { Hall } from "./hall.ts";
import { doubtJson, type CeremonyRecord } from "./history.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Conducts the abandonment of the open ceremony by two people or more, who cosign the head.
 * @throws KeyriteError people.* when they decline or cannot open their identities, ledger.* when the
 * ledger does not extend a head that one of them carries
 */
export async function abandonOpen(
  hall: Hall,
  recorder: Recorder,
  open: CeremonyRecord,
  people: readonly Participant[],
): Promise<Closing> {
  const { plan } = open;
  const n = open.doubt?.n ?? 1;
  const step = plan?.steps.find((s) => s.n === n);
  if (plan === undefined || step === undefined) {
    throw new KeyriteError("ledger.damaged", `the plan of ceremony ${open.id} is missing`);
  }
  await requireCarriedHeads(hall, recorder, people, "when it was to be abandoned");
  hall.terminal.begin(open.id);
  const screen = hall.terminal.bytes();
  const data: JsonObject = {
    transcript: sha256Hex(screen),
    finding: [...findingLines(open)],
    doubt: open.doubt === null ? null : doubtJson(open.doubt),
  };
  let closing: Closing | undefined;
  await decide(hall, recorder, {
    ceremony: open.id,
    plan,
    step,
    purpose: "abandon",
    decision: "abandon",
    shown: findingLines(open),
    data,
    people,
    question: `do you agree to abandon ceremony ${open.id}?`,
    attached: [{ mediaType: "text/plain", bytes: screen }],
    type: "ceremony.abandoned",
    description: `Ceremony ${open.id} was abandoned.`,
    after: async (identities) => {
      const ready = await Promise.all(
        people.map(async (participant) => ({
          participant,
          signer: (await identities.identify(participant)).signer,
        })),
      );
      closing = await cosignHead(hall, recorder, identities, ready);
    },
  });
  if (closing === undefined) throw new Error("an abandonment ended without a head");
  return closing;
}
