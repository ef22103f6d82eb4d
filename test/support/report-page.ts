/** A report page of a real ceremony, taken apart and put together again with something changed. */

import assert from "node:assert/strict";
import { decodeEntry } from "../../src/ledger/entry.ts";
import { checkPage } from "../../src/report/in-page/check.ts";
import { chooseCrypto, type PageCrypto, type Subtle } from "../../src/report/in-page/crypto.ts";
import type { Check, Evidence, Findings, ShownValue } from "../../src/report/in-page/evidence.ts";
import { dataText } from "../../src/report/page.ts";
import { siteAt, succeeded, type RehearsedSite } from "./rehearsed-site.ts";

const CARRIED = /(<script type="application\/json" id="carried">)([^]*?)(<\/script>)/;

/** A site on which two keys were generated, with a deviation on record. */
export function reportedSite(): RehearsedSite {
  const site = siteAt("prepared");
  succeeded(site.rehearse("generate-issuing-keys"));
  return site;
}

export function pageOf(site: RehearsedSite, args: readonly string[] = []): string {
  return succeeded(site.keyrite(["report", ...args, "--html", "--trust", site.file("trust.txt")]))
    .stdout;
}

export function evidenceIn(page: string): Evidence {
  const json = CARRIED.exec(page)?.[2];
  assert.ok(json !== undefined, "the page carries evidence");
  return JSON.parse(json) as Evidence;
}

/** The page with other evidence and everything else as it was. */
export function withEvidence(page: string, evidence: Evidence): string {
  return page.replace(CARRIED, (_all, head: string, _json, tail: string) => {
    return `${head}${dataText(evidence)}${tail}`;
  });
}

/** Node's own WebCrypto, which is that of browsers. */
export function webCrypto(): Promise<PageCrypto> {
  return chooseCrypto(globalThis.crypto.subtle as unknown as Subtle);
}

export async function judged(
  evidence: Evidence,
  shown: readonly ShownValue[] = [],
): Promise<Findings> {
  return checkPage(await webCrypto(), evidence, shown);
}

export function checkOf({ checks }: Findings, name: Check["name"]): Check {
  const check = checks.find((one) => one.name === name);
  assert.ok(check, `there is a check of ${name}`);
  return check;
}

/** Every problem of a page, each after the name of its check. */
export function problemsOf({ checks }: Findings): readonly string[] {
  return checks.flatMap(({ name, problems }) => problems.map((text) => `${name}: ${text}`));
}

/** Evidence with one entry's text changed. */
export function withEntry(
  evidence: Evidence,
  seq: number,
  change: (text: string) => string,
): Evidence {
  const entries = evidence.entries.map((text, i) => {
    if (evidence.from + i !== seq) return text;
    const changed = change(text);
    assert.notEqual(changed, text, "the change changes something");
    return changed;
  });
  return { ...evidence, entries };
}

/** The index of the newest entry that fits. */
export function seqOf(
  { entries, from }: Evidence,
  fits: (entry: ReturnType<typeof decodeEntry>) => boolean,
): number {
  const index = entries.findLastIndex((text) => fits(decodeEntry(text)));
  assert.ok(index >= 0, "there is such an entry");
  return from + index;
}
