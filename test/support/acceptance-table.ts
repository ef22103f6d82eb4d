/**
 * The table of docs/certificates.md that says what other people's tools say of everything we issue. Run as a
 * program it asks them and writes the table: `node --import tsx test/support/acceptance-table.ts`.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuedSet, issueSet, softwareKey, VARIANTS } from "./issued-set.ts";
import { type Answer, OUTSIDERS, type Outsider, type What, WHATS, writeSet } from "./outsiders.ts";
import { TokenKeys } from "./softhsm-keys.ts";

export const MANUAL = join(import.meta.dirname, "..", "..", "docs", "certificates.md");

/** What one tool says of one set. */
export function ask(outsider: Outsider, set: IssuedSet): Readonly<Record<What, Answer>> {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-outsider-"));
  try {
    writeSet(folder, set);
    return outsider.judge(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const WORDS: Readonly<Record<What, string>> = {
  root: "root",
  subordinate: "subordinate",
  cross: "cross-certificate",
  responder: "OCSP responder",
  crl: "CRL",
  csr: "request",
  bundle: "bundle",
};

/** What a cell begins with where a tool does not know the kind of key at all. */
export const NONE = "loads none";

/** A cell: `accepts all 7`, or what it does not accept and why. */
export function cell(answers: Readonly<Record<What, Answer>>): string {
  const judged = WHATS.filter((what) => answers[what].kind !== "not-judged");
  const refused = judged.flatMap((what) => {
    const answer = answers[what];
    return answer.kind === "refuses"
      ? [`${WORDS[what]}: ${answer.says.replaceAll("|", "/").replace(/\.$/, "")}`]
      : [];
  });
  const reasons = new Set(refused.map((text) => text.slice(text.indexOf(": ") + 2)));
  if (refused.length === judged.length && reasons.size === 1)
    return `${NONE} (${[...reasons].join()})`;
  if (refused.length === 0) return `accepts all ${judged.length}`;
  return `accepts ${judged.length - refused.length} of ${judged.length}; refuses ${refused.join("; ")}`;
}

/** Asks every tool about every set, made with software keys and with keys in SoftHSM. */
async function table(): Promise<string> {
  const tools = OUTSIDERS.map((tool) => ({ tool, version: tool.version() }));
  const heads = tools.map(({ tool: { name }, version }) => `${name} ${version ?? "(absent)"}`);
  const tokens = await TokenKeys.open();
  const rows: string[] = [];
  for (const variant of VARIANTS) {
    const make = {
      software: softwareKey,
      SoftHSM: (one: typeof variant.algorithm) => tokens.key(one),
    };
    for (const [place, key] of Object.entries(make)) {
      const set = await issueSet(
        variant,
        await key(variant.algorithm),
        await key(variant.algorithm),
      );
      const cells = tools.map(({ tool, version }) =>
        version === undefined ? "absent" : cell(ask(tool, set)),
      );
      rows.push(`| ${variant.name} | ${place} | ${cells.join(" | ")} |`);
    }
  }
  await tokens.close();
  return [
    `| signed by | key in | ${heads.join(" | ")} |`,
    `| --- | --- | ${heads.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
    ...OUTSIDERS.map(({ name, how }) => `- ${name}: ${how}.`),
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  const written = await table();
  const text = readFileSync(MANUAL, "utf8");
  const place = /(?<=<!-- generated: acceptance -->\n)[\s\S]*?(?=<!-- end -->)/;
  if (!place.test(text)) throw new Error("the page has no place for the table");
  writeFileSync(
    MANUAL,
    text.replace(place, () => `\n${written}\n\n`),
  );
}
