/** The lines of `keyrite verify`: every ceremony, what was out of its course, what is not excluded, what to do next. */

import type {
  CeremonyConformance,
  ConformanceReport,
  Exception,
  Missing,
  StepConformance,
  Violation,
} from "../ceremony/conformance.ts";
import { plural } from "../ceremony/key-status.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { visible } from "../lib/encoding.ts";
import type { Judged } from "./judge.ts";
import { overallVerdict } from "./verify-json.ts";

export interface VerifyView {
  /** Steps of every ceremony. */
  readonly verbose: boolean;
  /** Id of the one ceremony to show, with its steps. */
  readonly ceremony?: string;
}

/** How much of each list is shown when nobody asked for all. */
const MOST_SHOWN = 8;

export function verdictLines(judged: Judged, view: VerifyView): readonly string[] {
  const { conformance } = judged;
  const lines = [
    ...ledgerLines(judged),
    ...(judged.assurance === "test" ? ["TEST – not a production site"] : []),
  ];
  if (conformance !== null) lines.push(...ceremonies(conformance, view));
  lines.push(...judged.heads.map(({ file, text }) => `Head ${visible(file)}: ${visible(text)}`));
  for (const { text } of judged.findings) lines.push(`FINDING ${visible(text)}`);
  if (conformance !== null) lines.push(...ofTheWhole(conformance));
  for (const text of judged.limits) lines.push(`Not excluded: ${visible(text)}`);
  lines.push(`Integrity: ${judged.verdict}${judged.anchored ? "" : " (not anchored)"}`);
  lines.push(`Verdict: ${overallVerdict(judged)}`);
  return conformance === null ? lines : [...lines, ...next(conformance)];
}

/** Which ledger, how long, with which head. Of a file that cannot be read, none of it is known. */
function ledgerLines({ origin, size, root }: Judged): readonly string[] {
  if (origin === "") return ["Ledger: what the file holds cannot be read"];
  const head = root === "" ? [] : digestLines("Head", root);
  return [`Ledger ${visible(origin)}, ${size} entries`, ...head];
}

function ceremonies(report: ConformanceReport, view: VerifyView): readonly string[] {
  const shown = report.ceremonies.filter(
    ({ id }) => view.ceremony === undefined || id === view.ceremony,
  );
  if (shown.length === 0) return [];
  const steps = view.verbose || view.ceremony !== undefined;
  return ["", "Ceremonies", ...shown.flatMap((one) => ceremony(one, steps)), ""];
}

function ceremony(one: CeremonyConformance, all: boolean): readonly string[] {
  const { violations, missing } = one;
  const named = all ? one.exceptions : one.exceptions.filter(({ deviates }) => deviates);
  return [
    `  ${visible(one.id)}  ${one.state}  ${one.verdict}  ${summary(one)}`,
    ...(all ? details(one) : []),
    ...some(violations.map(violationLine), all),
    ...some(named.map(exceptionLine), all),
    ...some(missing.map(missingLine), all),
    ...(all ? one.steps.flatMap(stepLines) : []),
  ];
}

function summary({ steps, attending, head }: CeremonyConformance): string {
  const done = steps.filter(({ outcome }) => outcome === "completed" || outcome === "closed");
  const people = new Set(attending.map(({ person }) => person)).size;
  const cosigned = head === null ? "" : `, ${head.cosigners.length} cosigned`;
  return `${done.length} of ${plural(steps.length, "step")}, ${plural(people, "person").replace("persons", "people")}${cosigned}`;
}

function details(one: CeremonyConformance): readonly string[] {
  const { script, custody, head } = one;
  const written =
    script.asWritten === null
      ? "cannot be compared"
      : script.asWritten
        ? "as written"
        : "NOT AS WRITTEN";
  const roles = one.roles.map(({ role, needed, present }) => `${role} ${present} of ${needed}`);
  const cosigners = head?.cosigners.map(({ person }) => person) ?? [];
  return [
    `    ${visible(one.title)}`,
    `    ${one.openedAt} to ${one.endedAt ?? "now"}, entries ${one.openedSeq} to ${one.endedSeq ?? "the end"}`,
    `    script ${script.name} ${script.version}: the plan is ${written}`,
    `      SHA-256 ${visible(script.sha256)}`,
    `    people ${people(one.attending)}`,
    ...(roles.length === 0 ? [] : [`    roles called: ${roles.join(", ")}`]),
    ...(head === null
      ? []
      : [`    head of size ${head.size} cosigned by ${cosigners.join(", ") || "nobody"}`]),
    ...(custody === null
      ? []
      : [
          `    custody at the close ${custody.agrees ? "is" : "IS NOT"} what the entries establish`,
        ]),
  ];
}

function stepLines(step: StepConformance): readonly string[] {
  const { n, id, action, outcome, items, openedSeq, endedSeq, endedAt, attempts } = step;
  const where = openedSeq === null ? "" : `  entries ${openedSeq} to ${endedSeq ?? "?"}`;
  const time = endedAt === null ? "" : `  ${endedAt}`;
  const again = attempts > 1 ? `  ${attempts} attempts` : "";
  const batch =
    items === null
      ? []
      : [
          `         items: ${items.completed} done${items.failed > 0 ? `, ${items.failed} failed` : ""}`,
        ];
  return [
    `    ${String(n).padStart(3)}  ${visible(id)} (${visible(action)})  ${outcome}${time}${where}${again}`,
    ...(step.people.length === 0 ? [] : [`         ${how(step)} by ${people(step.people)}`]),
    ...batch,
  ];
}

function how({ control, outcome }: StepConformance): string {
  if (outcome === "closed") return "cosigned";
  return control === "none" ? "stated" : "agreed";
}

function people(list: readonly { readonly person: string; readonly role: string }[]): string {
  return (
    list.map(({ person, role }) => `${visible(person)} (${visible(role)})`).join(", ") || "nobody"
  );
}

function violationLine({ code, seq, text }: Violation): string {
  const said = text.startsWith("entry ") || seq === null ? text : `entry ${seq}: ${text}`;
  return `    VIOLATION ${code}: ${visible(said)}`;
}

function exceptionLine({ kind, seq, text, people: who }: Exception): string {
  const names = who.map(({ person }) => visible(person)).join(", ");
  const agreed = names === "" || kind === "not-cosigned" ? "" : ` (agreed to by ${names})`;
  return `    ${kind}, entry ${seq}: ${visible(text)}${agreed}`;
}

function missingLine({ text }: Missing): string {
  return `    cannot tell: ${visible(text)}`;
}

function some(lines: readonly string[], all: boolean): readonly string[] {
  if (all || lines.length <= MOST_SHOWN) return lines;
  return [...lines.slice(0, MOST_SHOWN), `    … ${lines.length - MOST_SHOWN} more: see --verbose`];
}

function ofTheWhole(report: ConformanceReport): readonly string[] {
  return [
    ...report.violations
      .filter(({ code }) => !["integrity", "trust", "head"].includes(code))
      .map(violationLine),
    ...report.exceptions.map(exceptionLine),
    ...report.missing.map(({ text }) => `Cannot tell: ${visible(text)}`),
  ].map((line) => line.trimStart());
}

function next(report: ConformanceReport): readonly string[] {
  const all = [...report.missing, ...report.ceremonies.flatMap(({ missing }) => missing)];
  const remedies = [...new Set(all.map(({ remedy }) => remedy))];
  const bad = report.ceremonies.filter(({ verdict }) => verdict === "DOES NOT CONFORM");
  if (bad.length > 0) {
    const named = bad.map(({ id }) => visible(id)).slice(0, MOST_SHOWN);
    remedies.unshift(
      `put ${plural(bad.length, "ceremony")} to the people who were there: ${named.join(", ")}`,
    );
  }
  return remedies.map((text) => `Next: ${text}`);
}
