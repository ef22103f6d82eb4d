/**
 * Issues a CA certificate: a root, a subordinate from a key of this site or from a request, a
 * cross-certificate, or one that stands already with a new serial number and new dates.
 */

import { defineAction } from "../ceremony/action.ts";
import { z } from "../lib/schema.ts";
import { certificateRef } from "./lib/certificate-refs.ts";
import { examineIssue } from "./lib/issuing-examine.ts";
import { admitsIssued, issueRun, issueSettle, issueSubject } from "./lib/issuing.ts";
import { issuedFact, type Issued, type ToIssue } from "./lib/issuing-shapes.ts";
import {
  commonParams,
  foreseen,
  issueConditions,
  issueInstruction,
  subjectParams,
} from "./lib/issuing-params.ts";

const params = () =>
  z.strictObject({
    ...commonParams,
    ...subjectParams,
    issuer: certificateRef().optional(),
    certificate: certificateRef().optional(),
    replaces: certificateRef().optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

export const issueCertificate = defineAction<Params, ToIssue, Issued>({
  name: "issue-certificate",
  control: "dual",
  params,
  facts: ["certificate.issued"],
  instruction: (p) => issueInstruction(p),
  requires: issueConditions,
  examine: (p, situation, documents) =>
    examineIssue(p, situation, documents, ["root", "subordinate", "cross"]),
  forecast: (p, custody) => foreseen(p, custody, true),
  establishes: (p, issued) => [issuedFact(p, issued)],
  admits: (p, intent, fact, cited) => admitsIssued(p, intent, fact, cited.profile(p.profile)),
  subject: issueSubject,
  run: issueRun,
  settle: issueSettle,
});
