/** The document of `keyrite verify --json`. Format: docs/formats/verdict.md. */

import type { ConformanceReport, ConformanceVerdict } from "../ceremony/conformance.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { Judged } from "./judge.ts";

/** The verdict on the whole: conformance, unless the file itself, or the bundle it came in, is damaged. */
export function overallVerdict({ conformance, findings, verdict }: Judged): ConformanceVerdict {
  if (conformance === null) return verdict === "CANNOT TELL" ? "CANNOT TELL" : "DOES NOT CONFORM";
  const damaged = findings.length > 0 && verdict !== "CANNOT TELL";
  return damaged ? "DOES NOT CONFORM" : conformance.verdict;
}

export function verdictJson(judged: Judged, ceremony: string | undefined): JsonObject {
  const { conformance } = judged;
  return {
    verdict: overallVerdict(judged),
    integrity: judged.verdict,
    anchored: judged.anchored,
    origin: judged.origin,
    assurance: judged.assurance,
    size: judged.size,
    root: judged.root,
    cosigned: judged.cosigned,
    findings: judged.findings.map(({ code, seq, text }) => ({ code, seq: seq ?? null, text })),
    heads: judged.heads.map((head) => ({ ...head })),
    violations: plain(conformance?.violations ?? []),
    exceptions: plain(conformance?.exceptions ?? []),
    missing: plain(conformance?.missing ?? []),
    ceremonies: ceremoniesJson(conformance, ceremony),
    notExcluded: [...judged.limits],
  };
}

function ceremoniesJson(report: ConformanceReport | null, ceremony: string | undefined): Json {
  const shown = report?.ceremonies ?? [];
  return plain(shown.filter(({ id }) => ceremony === undefined || id === ceremony));
}

// Every member of a report is JSON by its type; only TypeScript wants an index signature.
function plain(value: readonly object[]): Json {
  return value as unknown as Json;
}
