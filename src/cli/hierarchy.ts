/** `keyrite hierarchy`: judges certificates, revocation lists and requests against each other, offline. */

import { basename } from "node:path";
import { utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded, writeNewFile } from "../lib/files.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import {
  type HierarchyReport,
  judgeHierarchy,
  LARGEST_PKI_FILE,
  readPkiFile,
} from "../pki/hierarchy.ts";
import type { Trust } from "../pki/lint-rule.ts";
import { hierarchyPage } from "../report/hierarchy-page.ts";
import { hierarchyLines } from "../report/hierarchy-text.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { systemClock } from "./system.ts";

export interface HierarchyOptions {
  readonly rules: string;
  readonly html?: string;
  readonly json?: boolean;
}

const RULES: readonly Trust[] = ["private", "tls", "smime", "code-signing"];
/** Parts of one hierarchy; every pair of certificates is compared. */
const MOST_PARTS = 1000;

/**
 * Prints the verdict on a hierarchy.
 * @throws KeyriteError usage.bad-option, usage.bad-file for a file that holds none of the three,
 * ledger.not-trusted when a rule of severity error is broken
 */
export function hierarchy(files: readonly string[], options: HierarchyOptions): void {
  const trust = RULES.find((name) => name === options.rules);
  if (trust === undefined) {
    throw new KeyriteError(
      "usage.bad-option",
      `there are no rules named ${visible(options.rules)}`,
      {
        hints: [`one of ${RULES.join(", ")}`],
      },
    );
  }
  const parts = files.flatMap((file) =>
    readPkiFile(readBounded(file, LARGEST_PKI_FILE), nameIn(file, files)),
  );
  if (parts.length > MOST_PARTS) {
    throw new KeyriteError("usage.refused", `the files hold more than ${MOST_PARTS} parts`, {
      hints: ["judge one hierarchy at a time"],
    });
  }
  const report = judgeHierarchy(parts, { nowMs: systemClock.now(), trust });
  if (options.html !== undefined) {
    writeNewFile(options.html, utf8(hierarchyPage(report)), { mode: 0o644 });
    tellLine(`written: ${visible(options.html)}`);
  }
  if (options.json === true) printJson("hierarchy", jsonOf(report));
  else for (const line of hierarchyLines(report)) printLine(line);
  if (report.verdict === "INCONSISTENT") refuse(report);
}

/** The file's own name where no other has it, since paths differ from one machine to the next. */
function nameIn(file: string, all: readonly string[]): string {
  const name = basename(file);
  return all.filter((other) => basename(other) === name).length === 1 ? name : file;
}

function jsonOf({ verdict, judgedAt, trust, parts, findings }: HierarchyReport): JsonObject {
  const plain: Json = JSON.parse(
    JSON.stringify({ verdict, judgedAt, rules: trust, parts, findings }),
  ) as Json;
  return plain as JsonObject;
}

function refuse({ findings }: HierarchyReport): never {
  const errors = findings.filter(({ severity }) => severity === "error");
  throw new KeyriteError("ledger.not-trusted", "the hierarchy is not consistent", {
    hints: [
      ...errors.slice(0, 3).map(({ files, message }) => `${files.join(", ")}: ${message}`),
      "let the auditor see all findings before any of these files is published",
    ],
  });
}
