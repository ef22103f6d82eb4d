/** A report as Markdown, for mail, tickets and diffs: the same content as the page, without its check of itself. */

import { datesText } from "../ceremony/people-dates.ts";
import { fromHex, groupedHex, visible } from "../lib/encoding.ts";
import { spokenWords } from "../lib/words.ts";
import { clockTime, dateTime } from "./report-parts.ts";
import type { CeremonyPart, KeyPart, PersonPart, Report } from "./report-types.ts";

export function reportMarkdown(given: Report): string {
  const report = escaped(given);
  const [only] = report.ceremonies;
  const site = report.scope === "site" || only === undefined;
  const lines = [
    `# ${site ? `Site report: ${report.origin}` : only.title}`,
    "",
    ...(report.assurance === "test" ? ["**TEST – not a production site**", ""] : []),
    ...verdictLines(report),
    ...report.ceremonies.flatMap(ceremonyLines),
    ...peopleLines(report),
    "## Keys",
    "",
    ...(report.keys.length === 0 ? ["None.", ""] : report.keys.flatMap(keyLines)),
    ...(report.keysLeftOut > 0 ? [`${report.keysLeftOut} more keys are not listed.`, ""] : []),
    ...section(
      "Certificates and what else was signed",
      ["what", "subject", "serial", "valid", "SHA-256"],
      report.certificates.map((one) => [
        one.kind,
        one.subject,
        one.serial,
        `${one.notBefore} – ${one.notAfter}`,
        one.sha256,
      ]),
    ),
    ...section(
      "Where copies lie",
      ["place", "site", "container", "holders", "keys"],
      report.places.map((place) => [
        `${place.kind} ${place.name}`,
        `${place.site ?? "not recorded"}${place.offSite ? " (off site)" : ""}`,
        place.container ?? "not recorded",
        place.holders.join(", "),
        place.keys.join(", "),
      ]),
    ),
    ...section(
      "Share sets",
      ["set", "opens", "quorum", "custodians", "share-set.json"],
      report.shareSets.map((set) => [
        `${set.set}.g${set.generation}${set.current ? "" : " (not in use)"}`,
        `${set.purpose} of ${set.token}`,
        `${set.threshold} of ${set.holders.length}`,
        set.holders.join(", "),
        set.sha256,
      ]),
    ),
    ...deviationLines(report),
    ...section(
      "Requirements",
      ["requirement", "served by", "entry", "outcome"],
      report.matrix.flatMap(({ ref, script, steps }) => [
        ...(script ? [[ref, "the script as a whole", "", ""]] : []),
        ...steps.map(({ ceremony, n, id, seq, outcome }) => [
          ref,
          `${site ? `${ceremony}, ` : ""}step ${n}, ${id}`,
          String(seq ?? "–"),
          outcome,
        ]),
      ]),
    ),
    ...section(
      "Requirements, and whether the ledger shows them",
      ["requirement", "text", "shown", "missing"],
      report.controls.map(({ regime, id, text, status, missing }) => [
        `${regime} ${id}`,
        text,
        status,
        missing.join(", "),
      ]),
    ),
    ...section(
      "Evidence",
      ["document", "SHA-256", "bytes", "entry"],
      report.evidence.map(({ what, sha256, bytes, seq }) => [
        what,
        sha256,
        String(bytes),
        String(seq),
      ]),
    ),
    ...endingLines(report),
  ];
  return lines.join("\n");
}

function verdictLines({ conformance, head, origin }: Report): readonly string[] {
  const { verdict = "not judged", violations = [], missing = [] } = conformance ?? {};
  return [
    `Site ${origin}, ledger of ${head.size} entries at ${dateTime(head.time)}.`,
    "",
    `**Verdict: ${verdict}**`,
    "",
    ...violations.map(({ text }) => `- ${text}`),
    ...missing.map(({ text, remedy }) => `- missing: ${text}: ${remedy}`),
    "",
  ];
}

function ceremonyLines(ceremony: CeremonyPart): readonly string[] {
  const { script, software, modules, statements, clocks } = ceremony;
  return [
    `## ${ceremony.title}`,
    "",
    `Ceremony ${ceremony.id}, ${ceremony.state}, ${dateTime(ceremony.openedAt)} – ${dateTime(ceremony.endedAt)}, CA class ${ceremony.caClass}.`,
    "",
    `    Script    ${script.name} ${script.version}`,
    `              ${groupedHex(script.sha256)}`,
    `    Plan      ${groupedHex(ceremony.plan)}`,
    `    Policy    ${groupedHex(ceremony.policy)}`,
    `    site.yaml ${groupedHex(ceremony.bindings)}`,
    `    Software  ${software.name} ${software.version}`,
    `              ${groupedHex(software.sha256)}`,
    ...modules.map(({ module, sha256 }) => `    Module    ${module} ${groupedHex(sha256)}`),
    "",
    ...rows(
      ["no.", "step", "by", "opened", "agreed", "done", "entries", "outcome"],
      ceremony.steps.map((step) => [
        String(step.n),
        `**${step.id}** ${step.instruction}`,
        step.people.map(({ person, part }) => `${person} (${part})`).join(", "),
        clockTime(step.openedAt),
        clockTime(step.begunAt),
        clockTime(step.endedAt),
        [step.openedSeq, step.endedSeq].filter((seq) => seq !== null).join("–"),
        step.outcome,
      ]),
    ),
    "",
    ...statements.flatMap(({ n, by, statement, fields }) => [
      `- Step ${n}, ${by}: ${statement}${fields.map(({ id, value }) => ` ${id}: ${value}.`).join("")}`,
    ]),
    ...clocks.map(
      ({ time, source, offsetSeconds, people }) =>
        `- Clock, ${people.join(" and ")} at ${dateTime(time)}: ${source}, ${offsetSeconds} s ahead.`,
    ),
    "",
  ];
}

function peopleLines({ people, scope }: Report): readonly string[] {
  return section(
    "People and roles",
    ["name", "role", "did", "cosigned", "card"],
    people.map((person) => [
      [`${person.name} (${person.person})`, datesText(person)].filter(Boolean).join("; "),
      person.attended ?? whyAbsent(person),
      scope === "site"
        ? `${person.acts.length} acts`
        : person.acts.map(({ n, part }) => `${part} ${n}`).join(", "),
      dateTime(person.cosigned),
      person.card,
    ]),
  );
}

function whyAbsent({ roles, revoked }: PersonPart): string {
  if (revoked === undefined) return `not there; may act as ${roles.join(", ")}`;
  return `off the roster since ${dateTime(revoked.at)} (${revoked.reason})`;
}

function keyLines({ status, generated, ceremony }: KeyPart): readonly string[] {
  const words = spokenWords(fromHex(status.spki) ?? new Uint8Array());
  return [
    `### ${status.label} (${status.algorithm})${status.destroyed ? " – destroyed" : ""}`,
    "",
    `    ${groupedHex(status.spki)}`,
    ...[0, 8, 16, 24].map((from) => `    ${words.slice(from, from + 8).join(" ")}`),
    "",
    generated === null
      ? `- in custody since ceremony ${ceremony}`
      : `- generated ${dateTime(generated.at)} on ${generated.token}, ${generated.mechanism}, entry ${generated.seq}; fingerprint heard by ${generated.heardBy}; waivers: ${generated.waivers.join("; ") || "none"}`,
    ...status.tokens.map(
      (copy) =>
        `- on token ${copy.token}, ${copy.origin}, ${copy.extractable ? "EXTRACTABLE" : "locked"}, proved ${dateTime(copy.proved)}`,
    ),
    ...status.backups.map(
      (copy) =>
        `- in backup ${copy.backup} under KEK ${copy.kek}, vaults ${copy.vaults.map(({ vault }) => vault).join(", ")}, ${copy.completed ? "completed" : "NOT COMPLETED"}, proved ${dateTime(copy.proved)}`,
    ),
    ...status.missing.map((text) => `- MISSING: ${text}`),
    ...(generated === null
      ? []
      : [
          "- attributes: ",
          ...generated.attributes.map(
            (one) => `  - ${one.name}: private ${one.private || "–"}, public ${one.public || "–"}`,
          ),
        ]),
    "",
  ];
}

function deviationLines({ ceremonies, unresolved, notRecorded, due }: Report): readonly string[] {
  const events = ceremonies.flatMap((ceremony) => ceremony.events);
  const lines = (kind: (name: string) => boolean): readonly string[] => {
    const found = events.filter((event) => kind(event.kind));
    return found.length === 0
      ? ["None."]
      : found.map(
          ({ seq, time, kind: name, step, text }) =>
            `- entry ${seq}, ${dateTime(time)}, ${name}${step === null ? "" : `, step ${step}`}: ${text}`,
        );
  };
  const bullets = (texts: readonly string[]): readonly string[] =>
    texts.length === 0 ? ["Nothing."] : texts.map((text) => `- ${text}`);
  return [
    "## Deviations",
    "",
    ...lines((kind) => kind === "deviation.recorded"),
    "",
    "### Refusals, failures and interruptions",
    "",
    ...lines((kind) => kind !== "deviation.recorded"),
    "",
    "### Not resolved",
    "",
    ...bullets(unresolved),
    "",
    "### Not recorded in this ledger",
    "",
    ...bullets(notRecorded),
    "",
    "### What falls due",
    "",
    ...due.map(({ by, what, rule }) => `- ${by}: ${what} (${rule})`),
    "",
  ];
}

function endingLines({ head, genesis, ledgerKey, people }: Report): readonly string[] {
  const signers = people.filter(({ attended }) => attended !== null);
  return [
    "## Final checkpoint",
    "",
    ...head.note
      .trimEnd()
      .split("\n")
      .map((line) => `    ${visible(line)}`),
    "",
    `    Root     ${groupedHex(head.root)}`,
    `    Genesis  ${groupedHex(genesis)}`,
    `    Key      ${ledgerKey}`,
    "",
    `Cosigned by ${head.cosigners.map(({ person }) => person).join(", ") || "nobody"}.`,
    "",
    "## Signatures",
    "",
    "The script was followed ☐ without deviations ☐ with the deviations listed above ☐ not.",
    "",
    ...rows(
      ["name", "role", "signature", "date"],
      [
        ...signers.map(({ name, attended }) => [name, attended ?? "", "", ""]),
        ["", "security officer", "", ""],
      ],
    ),
  ];
}

function section(
  title: string,
  head: readonly string[],
  body: readonly (readonly string[])[],
): readonly string[] {
  return body.length === 0 ? [] : [`## ${title}`, "", ...rows(head, body), ""];
}

function rows(head: readonly string[], body: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map((cells) => line(cells))];
}

/**
 * Every text of a report so that it can neither end its cell or line nor begin markup of its own; all of them at once,
 * for one that was forgotten would be enough. The checkpoint keeps its bytes, and stands in a block of its own.
 */
function escaped(report: Report): Report {
  const text = JSON.stringify(report, (name, value: unknown) =>
    typeof value !== "string" || name === "note"
      ? value
      : visible(value).replace(/[|<>`*_[\]]/g, "\\$&"),
  );
  return JSON.parse(text) as Report;
}
