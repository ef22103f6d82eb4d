/** `keyrite status`: what the site holds now, what is open, due or in doubt. */

import { custodyJson, shareSetName } from "../ceremony/custody.ts";
import { findingLines } from "../ceremony/abandon.ts";
import type { History } from "../ceremony/history.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { hex, visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { printJson, printLine } from "./output.ts";
import { openSite, siteFolder, type OpenSite } from "./site.ts";

export interface StatusOptions {
  readonly site?: string;
  readonly json?: boolean;
}

export function status(options: StatusOptions): Promise<void> {
  const site = openSite(siteFolder(options.site), { write: false });
  try {
    if (options.json === true) printJson("status", statusJson(site));
    else for (const line of statusLines(site)) printLine(line);
  } finally {
    site.ledger.close();
  }
  return Promise.resolve();
}

/** What needs somebody's attention, one sentence each; empty when all is well. */
export function concerns(history: History): readonly string[] {
  const list: string[] = [];
  if (history.size === 0) list.push("the site is not founded yet: keyrite run establish-site");
  if (history.open !== null) list.push(...findingLines(history.open));
  else if (history.cosigned < history.size) {
    list.push(
      `entries ${history.cosigned} to ${history.size - 1} are not cosigned; the next roll call shows them`,
    );
  }
  for (const finding of history.findings) list.push(finding.text);
  for (const token of history.custody.tokens.values()) {
    if (token.activation === "sealed" && token.sets.activation === undefined) {
      list.push(`token ${token.token} has no activation share set`);
    }
  }
  for (const key of history.custody.keys.values()) {
    if (key.backup === "never") continue;
    list.push(`key ${key.label} has no backup yet`);
  }
  return list;
}

function statusLines(site: OpenSite): readonly string[] {
  const { history, genesis } = site;
  const { custody } = history;
  const lines = [
    `${genesis.origin} (${genesis.assurance})`,
    `Ledger: ${history.size} entries, cosigned up to ${history.cosigned}, last ${history.lastTime ?? "never"}`,
    ...digestLines("Head", hex(site.ledger.root())),
    "",
    section("Ceremonies", history.ceremonies.length),
    ...history.ceremonies.map(
      (c) =>
        `  ${visible(c.id)}  ${c.state}${c.deviations > 0 ? `, ${c.deviations} deviations` : ""}  ${visible(c.title)}`,
    ),
    section("People", custody.people.size),
    ...[...custody.people.values()].map(
      (p) => `  ${p.person}  ${visible(p.card.name)}  ${p.roles.join(", ")}`,
    ),
    section("Tokens", custody.tokens.size),
    ...[...custody.tokens.values()].map(
      (t) => `  ${t.token}  serial ${visible(t.serial)}  ${visible(t.model)}  ${t.activation}`,
    ),
    section("Share sets", custody.shareSets.size),
    ...[...custody.shareSets.values()].map(
      (s) =>
        `  ${shareSetName(s)}  ${s.purpose} of ${s.token}: ${s.threshold} of ${s.holders.join(", ")}`,
    ),
    section("Keys", custody.keys.size),
    ...[...custody.keys.values()].map(
      (k) => `  ${k.label}  ${k.algorithm} on ${k.token}, backup ${k.backup}, SPKI ${k.spki}`,
    ),
    section("Certificates", custody.certificates.size),
    ...[...custody.certificates.values()].map(
      (c) => `  ${c.file}  ${visible(c.subject)}  ${c.notBefore} to ${c.notAfter}`,
    ),
  ];
  const open = concerns(history);
  lines.push("", open.length === 0 ? "Nothing is open, due or in doubt." : "NEEDS ATTENTION");
  for (const concern of open) lines.push(`  ${visible(concern)}`);
  return lines;
}

function section(name: string, count: number): string {
  return count === 0 ? `${name}: none` : name;
}

function statusJson(site: OpenSite): JsonObject {
  const { history, genesis, ledger } = site;
  return {
    origin: genesis.origin,
    assurance: genesis.assurance,
    size: history.size,
    root: hex(ledger.root()),
    cosigned: history.cosigned,
    open: history.open === null ? null : { id: history.open.id, title: history.open.title },
    inDoubt: history.open?.doubt == null ? null : { ...history.open.doubt },
    ceremonies: history.ceremonies.map(({ id, script, version, state, openedAt, closedAt }) => ({
      id,
      script,
      version,
      state,
      openedAt,
      closedAt,
    })),
    custody: custodyJson(history.custody),
    concerns: [...concerns(history)],
  };
}
