/** Keys, certificates, places and quorums on a report page. */

import type { KeyStatus } from "../ceremony/key-status.ts";
import { html, type Html, type Part } from "./page.ts";
import { custodyPicture, quorumPicture } from "./pictures.ts";
import {
  chip,
  dateTime,
  facts,
  list,
  shortHex,
  type Source,
  table,
  valueOf,
  type PageContext,
} from "./report-parts.ts";
import { heading } from "./report-top.ts";
import type { CertificatePart, KeyPart, Report } from "./report-types.ts";

export function keysSection(context: PageContext): Html {
  const { keys, keysLeftOut, certificates, scope } = context.report;
  const none = scope === "site" ? "No key is in custody." : "This ceremony touched no CA key.";
  return html`${heading("keys")}
  ${keys.length === 0 ? html`<p>${none}</p>` : keys.map((key) => keyCard(context, key))}
  ${keysLeftOut === 0 ? "" : html`<p class="warn">${keysLeftOut} more keys are not listed here; keyrite status --all --json lists them.</p>`}
  ${certificates.length === 0 ? "" : certificateTable(context, certificates)}`;
}

function keyCard(context: PageContext, { status, generated, ceremony }: KeyPart): Html {
  const { spki, label, algorithm, destroyed } = status;
  const at = generated === null ? "" : `facts.${generated.fact}.`;
  const source = { seq: generated?.seq ?? null, at: `${at}spki` };
  const token = context.report.tokens.find((one) => one.token === generated?.token);
  return html`<section class="key">
    <h3>
      ${label} <span class="soft">${algorithm}</span>
      ${destroyed ? chip("destroyed", "bad") : status.tokens.some((copy) => copy.extractable) ? chip("extractable", "bad") : ""}
    </h3>
    <p class="soft small">
      SHA-256 of the public key (DER SubjectPublicKeyInfo), in hex and in words
    </p>
    <p class="finger">${valueOf(context, spki, source, "hex")}</p>
    <p class="words-line">${valueOf(context, spki, source, "words")}</p>
    ${
      generated === null
        ? html`<p class="soft">
            In custody since ceremony ${ceremony}, whose report tells how it came to be.
          </p>`
        : facts([
            ["Generated", `${dateTime(generated.at)}, entry ${generated.seq}`],
            [
              "On",
              token === undefined
                ? generated.token
                : `token ${token.token}: ${token.manufacturer} ${token.model}, serial ${token.serial}, firmware ${token.firmware}`,
            ],
            ["Mechanism", generated.mechanism],
            ["Fingerprint heard by", generated.heardBy],
            ["Waivers", generated.waivers.join("; ") || "none"],
          ])
    }
    ${copies(status)} ${generated === null ? "" : attributes(generated.attributes)}
  </section>`;
}

function copies(status: KeyStatus): Html {
  const { tokens, backups, missing, backup, retained } = status;
  const rows: readonly (readonly Part[])[] = [
    ...tokens.map((copy) => [
      `HSM ${copy.token}`,
      copy.extractable
        ? html`${copy.origin} ${chip("extractable", "bad")}`
        : `${copy.origin}, locked`,
      place(copy),
      html`<span class="time">${dateTime(copy.proved)}</span>`,
    ]),
    ...backups.flatMap((one) =>
      one.vaults.map((vault) => [
        `vault ${vault.vault}`,
        html`backup ${one.backup}, under KEK ${one.kek}
        ${one.completed ? "" : chip("not completed", "bad")}`,
        place(vault),
        html`<span class="time">${dateTime(one.proved)}</span>`,
      ]),
    ),
  ];
  return html`${rows.length === 0 ? html`<p>No copy is left.</p>` : table(["Copy", "How", "Where", "Last proved"], rows)}
  ${backup === "never" ? html`<p>This key was to have no backup, ever.</p>` : ""}
  ${retained.map(({ copy, reason }) => html`<p class="warn">Retained: ${copy}, ${reason}</p>`)}
  ${missing.length === 0 ? "" : html`<div class="warn">${list(missing, "")}</div>`}`;
}

function place({
  site,
  container,
  offSite,
  holders,
}: {
  readonly site: string | null;
  readonly container: string | null;
  readonly offSite: boolean;
  readonly holders: readonly string[];
}): string {
  if (site === null && container === null && holders.length === 0) return "not recorded";
  const where = [site, container].filter((part) => part !== null);
  const held = holders.length === 0 ? [] : [`held by ${holders.join(", ")}`];
  const said = [...where, ...held].join("; ");
  return `${offSite ? "off site" : "on site"}: ${said}`;
}

function attributes(list: NonNullable<KeyPart["generated"]>["attributes"]): Html {
  const item = (name: string, value: string): Html =>
    html`<li><span>${name}</span><b>${value}</b></li>`;
  return html`<p class="soft small">
      Attributes as read back right after generation: private key, then what differs on the public
      key
    </p>
    <ul class="attributes">
      ${list.map((one) => (one.private === "" ? "" : item(one.name, one.private)))}
      ${list.map((one) =>
        one.public !== "" && one.public !== one.private
          ? item(`${one.name} (public)`, one.public)
          : "",
      )}
    </ul>`;
}

const KINDS: Readonly<Record<string, string>> = {
  "certificate.issued": "certificate",
  "certificate.imported": "certificate of others",
  "csr.made": "request",
  "crl.issued": "CRL",
};

function certificateTable(context: PageContext, certificates: readonly CertificatePart[]): Html {
  return html`<h3>Certificates and what else was signed</h3>
    ${table(
      ["What", "Subject, and SHA-256 of its DER", "Valid", "Entry"],
      certificates.map((one) => [
        html`${KINDS[one.kind] ?? one.kind}<br /><span class="soft">${one.profile}</span>`,
        certificateText(context, one),
        html`<span class="time">${one.notBefore}</span><br /><span class="time"
            >${one.notAfter}</span
          >`,
        one.seq,
      ]),
    )}`;
}

function certificateText(context: PageContext, one: CertificatePart): Html {
  const at = (name: string): Source => ({ seq: one.seq, at: `facts.${one.fact}.${name}` });
  const subject =
    one.kind === "crl.issued"
      ? html`of the CA with certificate ${shortHex(one.subject)}`
      : valueOf(context, one.subject, at("subject"));
  return html`${subject}
    ${one.serial === "" ? "" : html`<br /><span class="soft">serial ${one.serial}</span>`}
    <br /><span class="hex">${valueOf(context, one.sha256, at("sha256"), "hex")}</span>`;
}

export function custodySection({ report }: PageContext): Html {
  const { places, keks, tokens } = report;
  return html`${heading("custody")} ${custodyPicture(places, keks)}
  ${tokens.length === 0 ? "" : tokenTable(tokens)} ${keks.length === 0 ? "" : kekTable(report)}`;
}

function tokenTable(tokens: Report["tokens"]): Html {
  return table(
    ["HSM", "Device", "Serial", "Where", "Module"],
    tokens.map((one) => [
      html`<b>${one.token}</b>`,
      `${one.manufacturer} ${one.model}, firmware ${one.firmware}`,
      one.serial,
      place(one),
      shortHex(one.module),
    ]),
  );
}

function kekTable({ keks }: Report): Html {
  return table(
    ["KEK", "Kind", "Check value", "Tokens that hold it", "Could open it"],
    keks.map((one) => [
      one.kek,
      one.escrow === null
        ? one.mode
        : `escrowed in share set ${one.escrow}: it has existed outside an HSM`,
      html`<span class="hex">${one.checkValue}</span>`,
      one.tokens.join(", ") || "none",
      one.openers.join(", ") || "none",
    ]),
  );
}

export function quorumSection({ report: { shareSets } }: PageContext): Html {
  if (shareSets.length === 0)
    return html`${heading("quorums")}
      <p>No share set was made.</p>`;
  const current = shareSets.filter((set) => set.current);
  return html`${heading("quorums")}
    <div class="quorums">${current.map(quorumPicture)}</div>
    ${table(
      ["Set", "Opens", "Quorum", "Custodians", "share-set.json, SHA-256"],
      shareSets.map((set) => [
        html`${set.set}.g${set.generation} ${set.current ? "" : chip("not in use", "soft")}`,
        `${set.purpose} of ${set.token}`,
        `${set.threshold} of ${set.holders.length}`,
        set.holders.join(", "),
        shortHex(set.sha256),
      ]),
    )}
    <p class="soft small">
      In which bag or safe each share lies is not in the ledger but by what people stated above.
    </p>`;
}
