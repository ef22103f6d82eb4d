/** What a report owes besides the record: requirements and where they were served, what is missing, what falls due. */

import type { Custody } from "../ceremony/custody.ts";
import { everEnrolled } from "../ceremony/custody-people.ts";
import { datesOf } from "../ceremony/people-dates.ts";
import type { Policy } from "../ceremony/policy.ts";
import { parseTimestamp, timestamp } from "../lib/clock.ts";
import type { CeremonyPart, DuePart, HeadPart, MatrixRow, PersonPart } from "./report-types.ts";

const DAY = 86_400_000;

/** Everybody who is or was on the roster: who could have authorised, and what each of them did. */
export function peopleParts(
  custody: Custody,
  ceremonies: readonly CeremonyPart[],
  head: HeadPart,
): readonly PersonPart[] {
  return everEnrolled(custody).map(({ person, roles, card, cardSha256, reference }) => {
    const revoked = custody.former.get(person)?.revoked;
    const seats = ceremonies.flatMap(({ attending }) => attending);
    const cosigned = head.cosigners.find((one) => one.person === person);
    return {
      person,
      name: card.name,
      roles,
      attended: seats.find((seat) => seat.person === person)?.role ?? null,
      card: cardSha256,
      reference,
      acts: ceremonies.flatMap(({ id: ceremony, steps }) =>
        steps.flatMap(({ n, id, people }) =>
          people
            .filter((act) => act.person === person)
            .map(({ part }) => ({ ceremony, n, id, part })),
        ),
      ),
      cosigned: cosigned?.time ?? null,
      ...datesOf(custody.people.get(person) ?? custody.former.get(person) ?? {}),
      ...(revoked === undefined ? {} : { revoked }),
    };
  });
}

/** Requirement → steps → entries, in the order in which scripts cite them. */
export function matrixOf(
  ceremonies: readonly CeremonyPart[],
  scriptRefs: ReadonlyMap<string, readonly string[]>,
): readonly MatrixRow[] {
  const rows = new Map<string, { script: boolean; steps: MatrixRow["steps"][number][] }>();
  const row = (ref: string): { script: boolean; steps: MatrixRow["steps"][number][] } => {
    const known = rows.get(ref) ?? { script: false, steps: [] };
    rows.set(ref, known);
    return known;
  };
  for (const { id: ceremony, steps } of ceremonies) {
    for (const ref of scriptRefs.get(ceremony) ?? []) row(ref).script = true;
    for (const { n, id, outcome, endedSeq, policyRefs } of steps) {
      for (const ref of policyRefs)
        row(ref).steps.push({ ceremony, n, id, outcome, seq: endedSeq });
    }
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ref, found]) => ({ ref, ...found }));
}

/** Values that auditors ask for and that only people can state: field id to what is missing without it. */
const STATED: readonly (readonly [RegExp, string])[] = [
  [/^cps/, "the version of the CPS in force"],
  [/approval/, "the reference of the management approval"],
  [/camera|recording/, "the number of the recording medium"],
  [/certificate|fips/, "the number of the HSM's FIPS or CC certificate"],
];
// A machine cannot vouch for what it was started from: whoever started it says so, at any ceremony.
const SYSTEM: (typeof STATED)[number] = [/^system/, "the digest of the operating system's image"];

/** What the ledger does not say, although a report should; never left out silently. */
export function notRecorded(ceremonies: readonly CeremonyPart[]): readonly string[] {
  const lacking = new Map<string, string[]>();
  for (const ceremony of ceremonies) {
    for (const what of lackingIn(ceremony)) {
      lacking.set(what, [...(lacking.get(what) ?? []), ceremony.id]);
    }
  }
  return [...lacking].map(([what, ids]) => {
    if (ceremonies.length === 1) return what;
    return ids.length > 3 ? `${what} (${ids.length} ceremonies)` : `${what} (${ids.join(", ")})`;
  });
}

function lackingIn({ caClass, statements, clocks }: CeremonyPart): readonly string[] {
  const fields = statements.flatMap((statement) => statement.fields.map((field) => field.id));
  const wanted = [...(caClass === "none" ? [] : STATED), SYSTEM];
  const missing = wanted
    .filter(([pattern]) => !fields.some((field) => pattern.test(field)))
    .map(([, what]) => what);
  const clock = clocks.length === 0 ? ["that anybody compared the machine's clock"] : [];
  return [...missing, ...clock];
}

/** Acts that a lifecycle report has to tell within 90 days (Apple Root Program 1.1.5). */
const LIFECYCLE =
  /^(key\.generated|backup\.completed|key\.restored|key\.cloned|copy\.moved|key\.destroyed|copy\.destroyed)$/;

/** What somebody has to do by when, counted from the report's end. */
export function dueParts(
  ceremonies: readonly CeremonyPart[],
  policy: Policy | null,
  end: string,
): readonly DuePart[] {
  const after = (days: number): string =>
    timestamp((parseTimestamp(end) ?? 0) + days * DAY).slice(0, 10);
  const facts = ceremonies.flatMap(({ steps }) => steps.flatMap((step) => step.facts));
  const moved = facts.some((kind) => LIFECYCLE.test(kind));
  const due: DuePart[] = [
    { what: "verify the ledger again", by: after(31), rule: "NSR 3.1.2, at least every 31 days" },
    { what: "review the roster", by: after(90), rule: "NSR 2.2.1, every three months" },
    ...(moved
      ? [{ what: "key lifecycle report", by: after(90), rule: "Apple Root Program 1.1.5, 90 days" }]
      : []),
    { what: "audit report without a gap", by: after(365), rule: "Mozilla 3.1.3, every year" },
  ];
  const days = policy?.drills.maxAgeDays;
  if (days !== undefined) {
    due.push({ what: "restore drill", by: after(days), rule: `the site's policy, ${days} days` });
  }
  return due.toSorted((a, b) => (a.by < b.by ? -1 : 1));
}
