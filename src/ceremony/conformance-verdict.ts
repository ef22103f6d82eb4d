/** The verdict: the worst of what was found, and what would have to be brought to say more. */

import type { CeremonyJudge } from "./conformance-ceremony.ts";
import { NO_STEP, type Found } from "./conformance-lists.ts";
import type {
  CeremonyConformance,
  ConformanceEnding,
  ConformanceReport,
  ConformanceVerdict,
  Missing,
  Violation,
} from "./conformance-report.ts";
import type { History, HistoryFinding } from "./history.ts";

export interface Concluding {
  readonly history: History;
  readonly ending: ConformanceEnding;
  readonly outside: Found;
  /** What the fold refused of no ceremony and nobody adopted. */
  readonly strays: readonly HistoryFinding[];
  readonly ceremonies: readonly CeremonyJudge[];
}

/** From best to worst: the verdict on the whole is the worst of its parts. */
const ORDER: readonly ConformanceVerdict[] = [
  "CONFORMS",
  "CONFORMS WITH DEVIATIONS",
  "CANNOT TELL",
  "DOES NOT CONFORM",
];

export function concludeReport(all: Concluding): ConformanceReport {
  const { history, ending, outside, strays } = all;
  const violations = [...outside.violations, ...strays.map(stray), ...ofTheFile(ending)];
  const missing = [...outside.missing, ...missingOfTheWhole(history, ending)];
  const believable = ending.anchored && ending.integrity.length === 0;
  const ceremonies = all.ceremonies.map((judge) => ceremonyOf(judge, history, ending, believable));
  const own = verdictOf(violations, missing, outside.deviates);
  return {
    verdict: worst([own, ...ceremonies.map(({ verdict }) => verdict)]),
    anchored: ending.anchored,
    violations,
    exceptions: outside.exceptions,
    missing,
    ceremonies,
    cosigned: history.cosigned,
    size: history.size,
  };
}

function ceremonyOf(
  judge: CeremonyJudge,
  history: History,
  { attachments }: ConformanceEnding,
  believable: boolean,
): CeremonyConformance {
  const report = judge.report();
  const { state, openedSeq, endedSeq, head } = report;
  const within = (seq: number | undefined): boolean =>
    seq !== undefined && seq >= openedSeq && (endedSeq === null || seq <= endedSeq);
  const missing = [
    ...report.missing,
    ...attachments.filter(({ seq }) => within(seq)).map(attachment),
  ];
  if (state === "open") missing.push(stillOpen(report));
  else if (head !== null && history.cosigned < head.size) missing.push(nobodyVouches(report, head));
  const verdict = verdictOf(report.violations, missing, judge.deviates);
  // Without an anchor everything may have been made up, the people too.
  const shown = believable ? verdict : worst([verdict, "CANNOT TELL"]);
  return { ...report, missing, verdict: shown };
}

function stillOpen({ id, openedSeq, steps }: Omit<CeremonyConformance, "verdict">): Missing {
  const at = steps.find(({ outcome }) => outcome !== "completed");
  const where = at === undefined ? "" : ` at step ${at.n} (${at.id})`;
  const text = `ceremony ${id} is open${where}`;
  const remedy = "the site goes on with it, or abandons it; judge the ledger again then";
  return { code: "open", seq: openedSeq, text, remedy };
}

function nobodyVouches(
  { id }: Pick<CeremonyConformance, "id">,
  { size, cosigners }: NonNullable<CeremonyConformance["head"]>,
): Missing {
  const text = `the head of ceremony ${id}, size ${size}, bears ${cosigners.length} of at least 2 cosignatures`;
  const remedy = "the next roll call at the site reads and adopts what nobody cosigned";
  return { code: "cosignature", seq: size - 1, text, remedy };
}

function missingOfTheWhole(history: History, ending: ConformanceEnding): readonly Missing[] {
  const { size, ceremonies, open, explained, cosigned } = history;
  const list: Missing[] = ending.attachments
    .filter(({ seq }) => !ceremonies.some(({ openedSeq }) => seq !== undefined && seq >= openedSeq))
    .map(attachment);
  if (!ending.anchored) {
    const text =
      "nothing says that this is the ledger of the site: all of it may have been made up";
    const remedy =
      "give the trust file with --trust, or the 32 words of the signed genesis sheet with --words";
    list.push({ code: "anchor", seq: null, text, remedy });
  }
  if (ceremonies.length === 0) {
    const remedy = "judge the ledger after its first ceremony";
    list.push({ code: "ceremony", seq: null, text: "the ledger holds no ceremony", remedy });
  }
  const vouched = Math.max(explained, cosigned);
  if (open === null && vouched < size) {
    const text = `entries ${vouched} to ${size - 1} are vouched for by nobody: whoever owns the host may have written them`;
    const remedy = "the next roll call at the site reads and adopts them";
    list.push({ code: "cosignature", seq: vouched, text, remedy });
  }
  const newest = Math.max(0, ...ending.heads);
  if (newest < cosigned || ending.heads.length === 0) {
    const text = `${headsHeld(ending, newest, cosigned)}: a later ceremony may have been cut off`;
    const remedy = `give --head with what somebody who was at the last ceremony carries: a file, their medium, or "SIZE WORDS" from paper`;
    list.push({ code: "head", seq: null, text, remedy });
  }
  return list;
}

function headsHeld(
  { heads, foreignHeads }: ConformanceEnding,
  newest: number,
  cosigned: number,
): string {
  if (heads.length > 0)
    return `the newest head given is of size ${newest}, people cosigned one of size ${cosigned}`;
  return foreignHeads.length > 0
    ? "no head that was given is one of this ledger"
    : "no head held outside the site was given";
}

function attachment({ seq, text }: ConformanceEnding["attachments"][number]): Missing {
  const remedy = "ask the site for the whole ledger file, or the bundle it was taken from";
  return { code: "attachment", seq: seq ?? null, text, remedy };
}

function stray({ code, seq, text }: HistoryFinding): Violation {
  return { code: code === "attachment" ? "authority" : code, seq, ...NO_STEP, text };
}

function ofTheFile(ending: ConformanceEnding): readonly Violation[] {
  return [
    ...ending.integrity.map(({ seq, text }) => ({
      code: "integrity" as const,
      seq: seq ?? null,
      text,
    })),
    ...ending.untrusted.map((text) => ({ code: "trust" as const, seq: null, text })),
    ...ending.foreignHeads.map((text) => ({ code: "head" as const, seq: null, text })),
  ].map((one) => ({ ...one, ...NO_STEP }));
}

function verdictOf(
  violations: readonly Violation[],
  missing: readonly Missing[],
  deviates: boolean,
): ConformanceVerdict {
  if (violations.length > 0) return "DOES NOT CONFORM";
  if (missing.length > 0) return "CANNOT TELL";
  return deviates ? "CONFORMS WITH DEVIATIONS" : "CONFORMS";
}

function worst(verdicts: readonly ConformanceVerdict[]): ConformanceVerdict {
  return ORDER[Math.max(0, ...verdicts.map((one) => ORDER.indexOf(one)))] ?? "DOES NOT CONFORM";
}
