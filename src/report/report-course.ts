/** What was performed, by whom, and step by step: with the numbers of the paper script and of the ledger's entries. */

import { datesText } from "../ceremony/people-dates.ts";
import { html, type Html } from "./page.ts";
import { timelinePicture } from "./pictures.ts";
import {
  chip,
  clockTime,
  dateTime,
  facts,
  hexLine,
  shortHex,
  table,
  valueOf,
  type PageContext,
} from "./report-parts.ts";
import { heading } from "./report-top.ts";
import type { CeremonyPart, PersonPart, Report, StepPart } from "./report-types.ts";

/** What each role answers for, in a ceremony. */
const DUTIES: Readonly<Record<string, string>> = {
  "ceremony-administrator": "runs the script, performs acts on HSMs and vaults",
  custodian: "holds a share, opens HSMs with other custodians",
  "security-officer": "answers for the ceremony's security, signs the report",
  "internal-witness": "compares what is done with the script, notes every deviation",
  "external-witness": "looks on for somebody outside, signs what they saw",
  recorder: "records sound and picture, keeps the media",
  auditor: "looks on for the audit, countersigns the ledger",
};

export function performedSection(context: PageContext): Html {
  const { ceremonies, scope } = context.report;
  const [only] = ceremonies;
  return html`${heading("performed")}
  ${scope === "site" || only === undefined ? ceremonyTable(ceremonies) : performed(context, only)}`;
}

/** A site's ceremonies at a glance; each has a report of its own. */
function ceremonyTable(ceremonies: readonly CeremonyPart[]): Html {
  return table(
    ["Ceremony", "Closed", "Steps", "People", "Verdict", "Script, SHA-256"],
    ceremonies.map((one) => {
      const done = one.steps.filter(({ outcome: word }) => word === "completed").length;
      return [
        html`<b>${one.title}</b><br /><span class="soft">${one.id}</span>`,
        html`<span class="time"
          >${one.state === "closed" ? dateTime(one.endedAt) : chip(one.state, "warn")}</span
        >`,
        `${done} / ${one.steps.length}`,
        one.attending.map(({ person }) => person).join(", "),
        one.conformance?.verdict ?? "not judged",
        shortHex(one.script.sha256),
      ];
    }),
  );
}

function performed(context: PageContext, ceremony: CeremonyPart): Html {
  const { script, software, modules, openedSeq, statements } = ceremony;
  const opened = (name: string, value: string): Html =>
    html`<span class="hex"
      >${valueOf(context, value, { seq: openedSeq, at: `data.${name}` }, "hex")}</span
    >`;
  const stated = (pattern: RegExp): string =>
    statements.flatMap(({ fields }) => fields).find(({ id }) => pattern.test(id))?.value ?? "";
  return html`${facts([
    ["Site", siteText(context.report)],
    ["Ceremony", ceremony.id],
    ["From, to", `${dateTime(ceremony.openedAt)} – ${dateTime(ceremony.endedAt)}`],
    ["CA class", ceremony.caClass],
    ["Script", `${script.name} ${script.version}${asWritten(ceremony)}`],
    ["Script, SHA-256", opened("script", script.sha256)],
    ["Plan, SHA-256", opened("plan", ceremony.plan)],
    ["Policy, SHA-256", opened("policy", ceremony.policy)],
    ["site.yaml, SHA-256", opened("bindings", ceremony.bindings)],
    ["CPS in force", ceremony.caClass === "none" ? "–" : stated(/^cps/)],
    ["Software", `${software.name} ${software.version}`],
    ["Software, SHA-256", hexLine(software.sha256)],
    ...modules.map(
      ({ module, sha256 }) => [`PKCS#11 module ${module}, SHA-256`, hexLine(sha256)] as const,
    ),
    ["Operating system, image", stated(/^system/)],
  ])}`;
}

function siteText({ origin, assurance }: Report): string {
  return assurance === "test" ? `${origin} – TEST, never for production keys` : origin;
}

function asWritten({ asWritten: judged }: CeremonyPart): string {
  if (judged === null) return "";
  return judged
    ? ", and the plan is what comes out of it"
    : ", BUT THE PLAN IS NOT WHAT COMES OUT OF IT";
}

export function peopleSection({ report }: PageContext): Html {
  const [there, absent] = [
    report.people.filter(({ attended }) => attended !== null),
    report.people.filter(({ attended, revoked }) => attended === null && revoked === undefined),
  ];
  const gone = report.people.flatMap(({ name, person, revoked }) =>
    revoked === undefined ? [] : [`${name} (${person}: ${revoked.reason}, ${revoked.at})`],
  );
  const dated = report.people.flatMap((one) => {
    const stated = datesText(one);
    return stated === "" || one.revoked !== undefined ? [] : [`${one.person} ${stated}`];
  });
  const roles = [...new Set(there.map(({ attended }) => attended ?? ""))];
  return html`${heading("people")}
    ${table(
      ["Name", "Role", "Did", "Cosigned the end", "Card, SHA-256"],
      there.map((person) => [
        html`<b class="time">${person.name}</b><br /><span class="soft">${person.person}</span>`,
        person.attended ?? "",
        report.scope === "site" ? `${person.acts.length} acts` : actsText(person),
        person.cosigned === null ? chip("no", "warn") : clockTime(person.cosigned).slice(0, 8),
        shortHex(person.card),
      ]),
    )}
    <p class="soft small">
      ${roles.map((role) => `${role}: ${DUTIES[role] ?? "as the script says"}`).join(". ")}.
    </p>
    ${
      absent.length === 0
        ? ""
        : html`<p class="soft small">
            Also on the roster, and not there:
            ${absent.map(({ name, person, roles: held }) => `${name} (${person}: ${held.join(", ")})`).join("; ")}.
          </p>`
    }
    ${dated.length === 0 ? "" : html`<p class="soft small">May act by their records: ${dated.join("; ")}.</p>`}
    ${gone.length === 0 ? "" : html`<p class="soft small">Taken off the roster: ${gone.join("; ")}.</p>`}`;
}

/** `performed 1, 2, 5; witnessed 8`, by the numbers of steps. */
function actsText({ acts }: PersonPart): string {
  const parts = [...new Set(acts.map(({ part }) => part))];
  return parts
    .map((part) => {
      const steps = acts.filter((act) => act.part === part).map(({ n }) => n);
      return `${part} ${[...new Set(steps)].join(", ")}`;
    })
    .join("; ");
}

export function courseSection(context: PageContext): Html {
  const { ceremonies, scope } = context.report;
  const [only] = ceremonies;
  // Hundreds of ceremonies step by step would hide the site behind them: each has its own report.
  if (scope === "site" || only === undefined) return html``;
  return html`${heading("course")} ${timelinePicture(only)} ${stepTable(context, only)}
  ${statementTable(context, only)} ${clockText(context, only)}`;
}

function stepTable(context: PageContext, { steps }: CeremonyPart): Html {
  return html`<table class="steps">
    <thead>
      <tr>
        <th class="n">No.</th>
        <th>Step</th>
        <th>By</th>
        <th>Time (UTC)</th>
      </tr>
    </thead>
    <tbody>
      ${steps.map((step) => stepRow(context, step))}
    </tbody>
  </table>`;
}

function stepRow(context: PageContext, step: StepPart): Html {
  const { n, id, instruction, openedSeq, shown, policyRefs, items, action } = step;
  const closing = action === "close";
  const said = closing
    ? html`${instruction}`
    : valueOf(context, instruction, { seq: openedSeq, at: "description" });
  const lines = shown.map(
    (line, i) =>
      html`<li>${valueOf(context, line, { seq: openedSeq, at: `data.shown.${i}` })}</li>`,
  );
  return html`<tr>
    <td class="n">${n}</td>
    <td>
      <span class="id">${id}</span> ${outcome(step)}<br />${said}
      ${
        lines.length === 0
          ? ""
          : html`<ul class="shown">
              ${lines}
            </ul>`
      }
      ${items === 0 ? "" : html`<div class="refs">${items === 1 ? "1 key" : `${items} keys`} done one by one</div>`}
      ${policyRefs.length === 0 ? "" : html`<div class="refs">${policyRefs.join(" · ")}</div>`}
    </td>
    <td class="who">${people(context, step)}</td>
    <td class="when">
      ${when(context, step)}
      <div class="entries">${entriesText(step)}</div>
    </td>
  </tr>`;
}

function outcome({ outcome: word, attempts }: StepPart): Html {
  const again = attempts > 1 ? chip(`${attempts} attempts`, "warn") : "";
  switch (word) {
    case "completed":
      return html`${again}`;
    case "failed":
    case "refused":
    case "in doubt":
      return html`${chip(word, "bad")} ${again}`;
    case "opened":
    case "not performed":
      return html`${chip(word, "warn")} ${again}`;
  }
}

function people(
  context: PageContext,
  { people: acts, begunSeq, endedSeq, agreed, action }: StepPart,
): Html {
  const seq = begunSeq ?? endedSeq;
  const signed = agreed > 0 || action === "close";
  return html`${acts.map(
    ({ person, part }, i) =>
      html`<div>
        ${valueOf(context, person, { seq, at: `actors.${i}.person` })}
        <span class="part">${part}${signed ? "" : ", unsigned"}</span>
      </div>`,
  )}`;
}

function when(
  context: PageContext,
  { openedSeq, openedAt, begunSeq, begunAt, endedSeq, endedAt, agreed }: StepPart,
): Html {
  const row = (word: string, seq: number | null, at: string | null): Html | "" =>
    at === null
      ? ""
      : html`<div><span class="part">${word}</span> ${timeOf(context, seq, at)}</div>`;
  if (openedSeq === endedSeq) return html`${row("done", endedSeq, endedAt)}`;
  return html`${row("read", openedSeq, openedAt)}${row(agreed > 0 ? "agreed" : "stated", begunSeq, begunAt)}${row("done", endedSeq, endedAt)}`;
}

/** The time of the day to read; the whole time stands in the mark that the page compares. */
function timeOf({ carries }: PageContext, seq: number | null, at: string): Html {
  if (seq === null || !carries(seq)) return html`${clockTime(at)}`;
  return html`<span data-seq="${seq}" data-at="time" data-as="clock">${clockTime(at)}</span>`;
}

function entriesText({ openedSeq, endedSeq, begunSeq }: StepPart): string {
  const first = openedSeq ?? endedSeq;
  const last = endedSeq ?? begunSeq ?? openedSeq;
  if (first === null || last === null) return "no entry";
  return first === last ? `entry ${first}` : `entries ${first}–${last}`;
}

function statementTable(context: PageContext, { statements }: CeremonyPart): Html {
  if (statements.length === 0) return html``;
  return html`<h3>What people stated</h3>
    ${table(
      ["Step", "Statement", "By"],
      statements.map(({ n, seq, statement, fields, by }) => [
        n,
        html`${valueOf(context, statement, { seq, at: "data.evidence.statement" })}
        ${fields.map(
          ({ id, value }, i) =>
            html`<div>
              <span class="soft">${id}:</span>
              ${valueOf(context, value, { seq, at: `data.evidence.fields.${i}.value` })}
            </div>`,
        )}`,
        by,
      ]),
    )}`;
}

function clockText(context: PageContext, { clocks }: CeremonyPart): Html {
  if (clocks.length === 0) {
    return html`<p>
      <b>Clock.</b> ${chip("not attested", "warn")} Nobody compared the machine's clock.
    </p>`;
  }
  return html`${clocks.map(
    ({ seq, time, source, offsetSeconds, people: by }) =>
      html`<p>
        <b>Clock.</b> ${by.join(" and ")} compared it at ${dateTime(time)} with
        ${valueOf(context, source, { seq, at: "facts.0.source" })}: the machine was ${offsetSeconds}
        s ahead (entry ${seq}).
      </p>`,
  )}`;
}
