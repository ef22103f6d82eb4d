/** `keyrite verify`: recomputes a ledger from its bytes and judges it; says what it cannot exclude. */

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { hex, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";
import { spokenWords } from "../lib/words.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { judgeLedger, type Judged, type Trust } from "./judge.ts";
import { printJson, printLine } from "./output.ts";
import { siteFolder } from "./site.ts";

export interface VerifyOptions {
  readonly site?: string;
  readonly trust?: string;
  readonly words?: string;
  readonly head: readonly string[];
  readonly json?: boolean;
}

export async function verify(place: string | undefined, options: VerifyOptions): Promise<void> {
  const judged = await judgeLedger(ledgerPath(place, options.site), {
    trust: readTrust(options),
    heads: options.head.map((file) => ({
      file,
      note: new TextDecoder().decode(readBounded(file, 1 << 20)),
    })),
  });
  if (options.json === true) printJson("verify", verdictJson(judged));
  else for (const line of verdictLines(judged)) printLine(line);
  if (judged.findings.length === 0) return;
  const cannotTell = judged.verdict === "CANNOT TELL";
  throw new KeyriteError(
    "ledger.damaged",
    cannotTell ? "the ledger lacks what a verdict needs" : "the ledger does not verify",
    { hints: judged.findings.slice(0, 3).map(({ text }) => text) },
  );
}

function ledgerPath(place: string | undefined, site: string | undefined): string {
  const path = place === undefined ? siteFolder(site) : resolve(place);
  if (!existsSync(path)) throw new KeyriteError("ledger.missing", `there is no ledger at ${path}`);
  return statSync(path).isDirectory() ? join(path, "ledger.db") : path;
}

/** A trust file: `genesis <sha256>` and note verifier keys, one a line; or the words of the sheet. */
export function readTrust(options: Pick<VerifyOptions, "trust" | "words">): Trust | undefined {
  if (options.words !== undefined) return { genesis: fromWords(options.words), keys: [] };
  if (options.trust === undefined) return undefined;
  const lines = new TextDecoder()
    .decode(readBounded(options.trust, 1 << 16))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const [named = "", ...more] = lines.filter((line) => line.startsWith("genesis "));
  const genesis = /^genesis ([0-9a-f]{64})$/.exec(named)?.[1];
  if (genesis === undefined || more.length > 0) {
    throw new KeyriteError(
      "usage.bad-file",
      `${options.trust} is no trust file: it must hold one line "genesis <sha256>"`,
      { hints: ["use trust.txt as keyrite init wrote it, compared with the genesis sheet"] },
    );
  }
  return { genesis, keys: lines.filter((line) => !line.startsWith("genesis ")) };
}

function fromWords(text: string): string {
  const typed = text.toLowerCase().split(/\s+/).filter(Boolean);
  const bytes: number[] = [];
  for (const [place, word] of typed.entries()) {
    const value = Array.from({ length: 256 }, (_, byte) => byte).find(
      (byte) => wordAt(place, byte) === word,
    );
    if (value === undefined) {
      throw new KeyriteError(
        "usage.bad-option",
        `word ${place + 1}, "${word}", is not on the list`,
        {
          hints: ["type the 32 words of the genesis digest as they stand on the sheet"],
        },
      );
    }
    bytes.push(value);
  }
  if (bytes.length !== 32) {
    throw new KeyriteError("usage.bad-option", `${bytes.length} words were given, a digest has 32`);
  }
  return hex(Uint8Array.from(bytes));
}

function wordAt(place: number, byte: number): string | undefined {
  const padded = Uint8Array.from([...new Array<number>(place % 2).fill(0), byte]);
  return spokenWords(padded).at(-1)?.toLowerCase();
}

function verdictLines(judged: Judged): readonly string[] {
  const lines = [
    `Ledger ${visible(judged.origin)}, ${judged.size} entries`,
    ...(judged.root === "" ? [] : digestLines("Head", judged.root)),
    ...(judged.assurance === "test" ? ["TEST – not a production site"] : []),
    ...judged.ceremonies.map((c) => `  ${visible(c.id)}  ${c.state}`),
  ];
  for (const { file, text } of judged.heads) lines.push(`Head ${visible(file)}: ${visible(text)}`);
  for (const { text } of judged.findings) lines.push(`FINDING ${visible(text)}`);
  for (const text of judged.limits) lines.push(`Not excluded: ${visible(text)}`);
  lines.push(`Verdict: ${judged.verdict}${judged.anchored ? "" : " (not anchored)"}`);
  return lines;
}

function verdictJson(judged: Judged): Parameters<typeof printJson>[1] {
  return {
    verdict: judged.verdict,
    anchored: judged.anchored,
    origin: judged.origin,
    assurance: judged.assurance,
    size: judged.size,
    root: judged.root,
    cosigned: judged.cosigned,
    findings: judged.findings.map(({ code, seq, text }) => ({ code, seq: seq ?? null, text })),
    heads: judged.heads.map(({ file, text, ok }) => ({ file, text, ok })),
    ceremonies: judged.ceremonies.map(({ id, state }) => ({ id, state })),
    notExcluded: [...judged.limits],
  };
}
