/** A hierarchy's verdict for the terminal: tree, requests, findings. */

import { visible } from "../lib/encoding.ts";
import type { HierarchyReport } from "../pki/hierarchy.ts";
import {
  type Branch,
  countsInWords,
  listInWords,
  revokedInWords,
  shortName,
  standingInWords,
  treeOf,
} from "./hierarchy-tree.ts";

/** Lines fit to be printed: every text out of a file is `visible`. */
export function hierarchyLines(report: HierarchyReport): readonly string[] {
  const tree = treeOf(report);
  const requests = tree.requests.map(({ file, subject, key, answeredBy }) => {
    const answer = answeredBy.length === 0 ? "no certificate yet" : `in ${answeredBy.join(", ")}`;
    return `request for ${shortName(subject)}: ${key}, ${answer}  [${file}]`;
  });
  const lists = tree.lists.map((list) => `${listInWords(list)}, of nobody here  [${list.file}]`);
  const rest = [
    ...requests,
    ...lists,
    ...tree.unreadable.map(({ file }) => `unreadable  [${file}]`),
  ];
  return [
    `${report.verdict}: ${countsInWords(report)}`,
    `Judged at ${report.judgedAt}, by the rules of ${RULES[report.trust]}.`,
    "",
    ...tree.tops.flatMap((top) => branchLines(top, "", "")),
    ...(rest.length > 0 ? ["", ...rest] : []),
    "",
    ...findingLines(report),
  ].map(visible);
}

export const RULES = {
  private: "RFC 5280 (private hierarchy)",
  tls: "RFC 5280 and the TLS Baseline Requirements",
  smime: "RFC 5280 and the S/MIME Baseline Requirements",
  "code-signing": "RFC 5280 and the Code Signing Baseline Requirements",
} as const;

function branchLines(branch: Branch, first: string, rest: string): readonly string[] {
  const { certificate, lists, below } = branch;
  const { subject, key, notBefore, notAfter, file } = certificate;
  const revoked = revokedInWords(certificate);
  const days = `${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`;
  const about = [
    standingInWords(certificate),
    key,
    days,
    ...(revoked === undefined ? [] : [revoked.replace("revoked", "REVOKED")]),
  ];
  const last = lists.length + below.length - 1;
  const arm = (at: number): string => rest + (at === last ? "└─ " : "├─ ");
  return [
    `${first}${shortName(subject)}: ${about.join(", ")}  [${file}]`,
    ...lists.map((list, at) => `${arm(at)}${listInWords(list)}  [${list.file}]`),
    ...below.flatMap((child, at) => {
      const place = lists.length + at;
      return branchLines(child, arm(place), rest + (place === last ? "   " : "│  "));
    }),
  ];
}

function findingLines({ findings }: HierarchyReport): readonly string[] {
  if (findings.length === 0) return ["No rule is broken."];
  return findings.flatMap(({ severity, rule, source, files, message }) => [
    `${severity.toUpperCase()} ${files.join(", ")}: ${message}`,
    `  (${rule}, ${source})`,
  ]);
}
