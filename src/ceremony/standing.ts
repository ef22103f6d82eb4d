/** Where the site stands when the roll is called: bindings, tail, and heads that people bring. */

import { compareHead, type HeadComparison } from "../ledger/heads.ts";
import { fromUtf8, hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseVerifierKey } from "../lib/note.ts";
import type { Standing } from "./action.ts";
import { lineChanges } from "./line-changes.ts";
import type { Hall } from "./hall.ts";
import { isCosignedBy, lastCosigned } from "./heads.ts";
import type { Plan } from "./plan.ts";
import type { Recorder } from "./recorder.ts";

/** Entries after the newest cosigned head: sequence numbers from (inclusive) to (exclusive). */
export interface Tail {
  readonly from: number;
  readonly to: number;
}

export function standingOf(hall: Hall, recorder: Recorder, plan: Plan): Standing {
  return {
    bindings: hall.bindings.sha256,
    bindingsChange: bindingsChange(hall, recorder),
    tail: recorder.history.tail,
    roles: plan.script.roles,
    checkHead: (note, holder) => {
      // What this ceremony itself appended must not pass for entries that somebody once cosigned.
      const entries = recorder.history.open?.openedSeq ?? recorder.ledger.size;
      const brought = { entries, when: "when this ceremony was opened" };
      return checkHead(hall, recorder, brought, note, holder);
    },
    lastCosigned: (person) => {
      const who = recorder.history.custody.people.get(person);
      return who && lastCosigned(who, recorder.ledger);
    },
  };
}

/** Lines of site.yaml that differ from what the last roll call agreed to. */
export function bindingsChange(hall: Hall, recorder: Recorder): readonly string[] {
  const agreed = recorder.history.custody.bindings;
  if (agreed === null || agreed === hall.bindings.sha256) return [];
  const before = recorder.ledger.attachment(agreed);
  if (before === undefined) return ["the site.yaml agreed to before is not attached to the ledger"];
  return lineChanges(fromUtf8(before.bytes), fromUtf8(hall.bindings.bytes));
}

/** How many entries the ledger came with, and when that was. */
export interface Brought {
  readonly entries: number;
  readonly when: string;
}

/**
 * Proves that the ledger, with the `brought` entries it came with, extends the head somebody carries.
 * @throws KeyriteError ledger.shorter-than-head, ledger.forked; people.medium for a head that is none of
 * this ledger, or that its holder never cosigned
 */
export function checkHead(
  hall: Hall,
  recorder: Recorder,
  brought: Brought,
  note: string,
  holder: string,
): { readonly size: number; readonly root: string } {
  const comparison = compare(hall, recorder, note, holder);
  const { size, root } = comparison.head;
  if (size > brought.entries) throw shorterThanHead(brought, holder, size);
  switch (comparison.result) {
    case "extends":
      requireOwn(recorder, note, holder);
      return { size, root: hex(root) };
    case "shorter":
      throw shorterThanHead({ ...brought, entries: comparison.firstMissing }, holder, size);
    case "forked":
      throw new KeyriteError(
        "ledger.forked",
        `the ledger is not the one whose head of size ${size} ${holder} carries: the first ` +
          `differing entry is one of ${comparison.from} to ${comparison.to}`,
        { hints: ["stop: the ledger was rewritten or replaced; call the auditor"] },
      );
  }
}

// The ledger's key signs checkpoints too: only the holder's own signature says that they saw this one.
function requireOwn(recorder: Recorder, note: string, holder: string): void {
  const card = recorder.history.custody.people.get(holder)?.card;
  if (card !== undefined && isCosignedBy(note, card)) return;
  throw new KeyriteError(
    "people.medium",
    `the head carried by ${holder} does not bear a cosignature of ${holder}`,
    { hints: ["somebody else put it on the medium: call the auditor"] },
  );
}

function shorterThanHead({ entries, when }: Brought, holder: string, size: number): KeyriteError {
  return new KeyriteError(
    "ledger.shorter-than-head",
    `the ledger had ${entries} entries ${when}, the head carried by ${holder} has ${size}: ` +
      `entry ${entries} is the first missing one`,
    { hints: ["stop: entries were cut off or an older copy was put in place; call the auditor"] },
  );
}

function compare(hall: Hall, recorder: Recorder, note: string, holder: string): HeadComparison {
  try {
    return compareHead(recorder.ledger, note, parseVerifierKey(hall.genesis.ledgerKey));
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    throw new KeyriteError(
      "people.medium",
      `the head carried by ${holder} is no head of this ledger: ${error.message}`,
      { hints: ["somebody changed the medium, or it belongs to another site"], cause: error },
    );
  }
}
