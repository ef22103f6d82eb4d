/** The lines of `keyrite status`: plain sentences of stable width, fit to be read aloud. */

import type {
  CertificatesStatus,
  CertificateStatus,
  CrlStatus,
} from "../ceremony/certificate-status.ts";
import { MOST_KEYS } from "../ceremony/concerns.ts";
import { openersOf } from "../ceremony/copies-query.ts";
import { shareSetName, type Custody, type ShareSetCustody } from "../ceremony/custody.ts";
import { lostHolders, type Former } from "../ceremony/custody-people.ts";
import { kekName, type BackupCustody, type KekCustody } from "../ceremony/custody-copies.ts";
import { datesText, type Dates } from "../ceremony/people-dates.ts";
import { plural, type KeyStatus, type Whereabouts } from "../ceremony/key-status.ts";
import type { StatusHistory } from "../ceremony/status-history.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { hex, visible } from "../lib/encoding.ts";
import type { OpenSite } from "./site.ts";

/** What of an open site its status shows. */
export interface StatusSource {
  readonly history: StatusHistory;
  readonly genesis: Pick<OpenSite["genesis"], "origin" | "assurance">;
  readonly ledger: Pick<OpenSite["ledger"], "root">;
}

export interface StatusView {
  readonly keys: readonly KeyStatus[];
  readonly certificates: CertificatesStatus;
  readonly concerns: readonly string[];
  /** Whether every key and backup is listed, however many there are. */
  readonly all: boolean;
}

export function statusLines(
  { history, genesis, ledger }: StatusSource,
  view: StatusView,
): readonly string[] {
  const { custody } = history;
  return [
    `${genesis.origin} (${genesis.assurance})`,
    `Ledger: ${history.size} entries, cosigned up to ${history.cosigned}, last ${history.lastTime ?? "never"}`,
    ...digestLines("Head", hex(ledger.root())),
    "",
    ...ceremonyLines(history),
    ...peopleLines(custody),
    ...section("Keys", view.keys, keyLines, view.all),
    ...section("KEKs", [...custody.keks.values()], (kek) => kekLines(custody, kek)),
    ...section("Backups", [...custody.backups.values()].toReversed(), backupLines, view.all),
    ...section("Certificates", view.certificates.certificates, certificateLines, view.all),
    ...section("CRLs", view.certificates.crls, crlLines, view.all),
    ...siteLines(custody),
    "",
    view.concerns.length === 0 ? "Nothing is open, due or in doubt." : "NEEDS ATTENTION",
    ...view.concerns.map((concern) => `  ${visible(concern)}`),
  ];
}

function certificateLines(one: CertificateStatus): readonly string[] {
  const { name, subject, notBefore, notAfter, state, daysLeft, revoked, source } = one;
  const left = state === "in force" ? `, ${plural(daysLeft, "day")} left` : "";
  const why = revoked === null ? "" : `, ${revoked.reason} from ${revoked.date} on`;
  return [
    `  ${name}  ${visible(subject)}  ${notBefore} to ${notAfter}`,
    `    ${state}${left}${why}${source === "imported" ? ", issued elsewhere" : ""}`,
  ];
}

function crlLines({ issuer, number, entries, nextUpdate }: CrlStatus): readonly string[] {
  const revoked = entries === 1 ? "1 entry" : `${entries} entries`;
  return [`  of ${issuer}  number ${number}, ${revoked}; the next is due by ${nextUpdate}`];
}

function ceremonyLines({ ceremonies }: StatusHistory): readonly string[] {
  return section("Ceremonies", ceremonies, (c) => {
    const deviations = c.deviations > 0 ? `, ${plural(c.deviations, "deviation")}` : "";
    return [`  ${visible(c.id)}  ${c.state}${deviations}  ${visible(c.title)}`];
  });
}

function peopleLines(custody: Custody): readonly string[] {
  const { people, former, tokens, shareSets, places } = custody;
  return [
    ...section("People", [...people.values()], (p) => [
      `  ${p.person}  ${visible(p.card.name)}  ${p.roles.join(", ")}${untilText(p)}`,
    ]),
    ...(former.size === 0 ? [] : section("Off the roster", [...former.values()], formerLines)),
    ...section("Tokens", [...tokens.values()], (t) => {
      const place = places.get(`token ${t.token}`);
      const transport = custody.transports.get(t.token);
      return [
        `  ${t.token}  serial ${visible(t.serial)}  ${visible(t.model)}  ${t.activation}`,
        ...(place === undefined ? [] : [`    kept ${where(place)}`]),
        ...(transport === undefined ? [] : [`    transport key ${transport.spki}`]),
      ];
    }),
    ...section("Share sets", [...shareSets.values()], (s) => [
      `  ${shareSetName(s)}  ${s.purpose} of ${s.token}${isRetired(custody, s) ? ", which is retired" : ""}: ${s.threshold} of ${s.holders.join(", ")}`,
      ...lostLines(custody, s),
    ]),
  ];
}

/** Nothing of somebody without dates. */
function untilText(dates: Dates): string {
  const stated = datesText(dates);
  return stated === "" ? "" : `; ${stated}`;
}

function formerLines({ person, card, roles, revoked }: Former): readonly string[] {
  const { at, reason, reference } = revoked;
  return [
    `  ${person}  ${visible(card.name)}  was ${roles.join(", ")}; revoked ${at}, ${reason}, by ${visible(reference)}`,
  ];
}

/** What is left of a set whose holders were revoked in part. */
function lostLines(custody: Custody, made: ShareSetCustody): readonly string[] {
  const lost = lostHolders(custody, made);
  if (lost.length === 0) return [];
  const left = made.holders.length - lost.length;
  return [
    `    counted as lost: ${lost.join(", ")}; left are ${left}, and ${made.threshold} open it`,
  ];
}

/** Whether the token that a set opens is no longer in custody. */
function isRetired({ tokens }: Custody, { purpose, token }: ShareSetCustody): boolean {
  return purpose !== "kek" && !tokens.has(token);
}

function siteLines({ peers, drills }: Custody): readonly string[] {
  return [
    ...section("Trusted sites", [...peers.values()], (p) => [
      `  ${visible(p.origin)}  size ${p.size}, root ${p.root}`,
    ]),
    ...section("Drills", drills.toReversed(), (d) => [
      `  ${d.at}  ${d.drill} ${d.verdict.toUpperCase()}  ${plural(d.keys, "key")} of ${d.backup} on ${d.token} in ${plural(d.seconds, "second")}`,
      ...d.reasons.map((reason) => `    ${visible(reason)}`),
      ...(d.drill === "rehearsal" ? ["    a rehearsal: it never counts"] : []),
    ]),
  ];
}

/** A heading and the lines of each item; of many items the first twenty, unless all are wanted. */
function section<T>(
  name: string,
  items: readonly T[],
  lines: (item: T) => readonly string[],
  all = true,
): readonly string[] {
  if (items.length === 0) return [`${name}: none`];
  const shown = all ? items : items.slice(0, MOST_KEYS);
  const more = items.length - shown.length;
  return [
    name,
    ...shown.flatMap(lines),
    ...(more > 0 ? [`  and ${more} more; keyrite status --all lists them`] : []),
  ];
}

function keyLines(key: KeyStatus): readonly string[] {
  const { label, algorithm, backup, spki } = key;
  const head = `  ${label}  ${algorithm}, backup ${backup}, SPKI ${spki}`;
  const kept = key.retained.map(
    ({ copy, reason }) => `    ${copy} keeps a copy: ${visible(reason)}`,
  );
  if (key.destroyed) return [head, "    destroyed", ...kept];
  return [
    head,
    ...key.tokens.map(
      (copy) =>
        `    on token ${copy.token}, ${ORIGINS[copy.origin]}, ${where(copy)}${copy.extractable ? ", EXTRACTABLE" : ""}, ${copy.proved === "" ? "NEVER READ BACK" : `last proved ${copy.proved}`}`,
    ),
    ...key.backups.flatMap(({ backup: name, completed, kek, proved, vaults }) =>
      completed
        ? [
            `    in backup ${name} under KEK ${kek}, last proved ${proved}`,
            ...vaults.map((copy) => `      in vault ${copy.vault}, ${where(copy)}`),
          ]
        : [`    in backup ${name}, which was never completed and does not count`],
    ),
    ...(key.restored === null
      ? []
      : [
          `    last restored from backup ${key.restored.backup} of ${visible(key.restored.origin)}, ${key.restored.at}`,
        ]),
    `    ${plural(key.onSite, "copy")} on site, ${key.offSite} off site; last drill that counts: ${key.lastDrill ?? "never"}`,
    ...kept,
    ...key.missing.map((text) => `    missing: ${text}`),
  ];
}

const ORIGINS: Readonly<Record<KeyStatus["tokens"][number]["origin"], string>> = {
  generated: "generated there",
  restored: "restored there",
  wrap: "cloned there",
  native: "cloned there by the vendor's tools",
};

function where({ site, offSite, container, holders }: Whereabouts | KeptAt): string {
  if (site === null || container === null) return "place not recorded";
  const held = holders.length === 0 ? "" : `, held by ${holders.join(" and ")}`;
  return `${offSite ? "off site" : "on site"} at ${visible(site)} in ${visible(container)}${held}`;
}

type KeptAt = Pick<Whereabouts, "site" | "offSite" | "container" | "holders">;

function kekLines(custody: Custody, kek: KekCustody): readonly string[] {
  const { mode, checkValue, tokens, escrow, origin } = kek;
  const openers = openersOf(custody, kek);
  return [
    `  ${kekName(kek)}  ${mode}, check value ${checkValue}${origin === custody.origin ? "" : `, of ${visible(origin)}`}`,
    `    held by ${[...tokens.keys()].join(", ") || "no token"}; can be opened by ${openers.join(", ") || "no token"}`,
    ...(escrow === null ? [] : [`    escrowed under share set ${shareSetName(escrow)}`]),
    ...(mode === "escrowed" ? ["    it has existed outside an HSM"] : []),
  ];
}

function backupLines(made: BackupCustody): readonly string[] {
  const { backup, sha256, keys, vaults, signers } = made;
  const head = `  ${backup}  ${plural(keys, "key")} under KEK ${kekName(made)}, made ${made.made}`;
  if (sha256 === null) return [head, "    never completed"];
  return [head, `    in ${vaults.join(" and ")}, signed by ${signers.join(" and ")}`];
}
