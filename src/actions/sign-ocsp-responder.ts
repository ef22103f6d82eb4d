/**
 * Issues the certificate of an OCSP responder: `issue-certificate` with profiles of that kind alone, so
 * that a script says what it does and no CA certificate comes out of it.
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
  z.strictObject({ ...commonParams, ...subjectParams, issuer: certificateRef() });
type Params = z.infer<ReturnType<typeof params>>;

export const signOcspResponder = defineAction<Params, ToIssue, Issued>({
  name: "sign-ocsp-responder",
  control: "dual",
  params,
  facts: ["certificate.issued"],
  instruction: (p) => issueInstruction(p, "an OCSP responder certificate"),
  requires: issueConditions,
  examine: (p, situation, documents) => examineIssue(p, situation, documents, ["ocsp-responder"]),
  forecast: (p, custody) => foreseen(p, custody, false),
  establishes: (p, issued) => [issuedFact(p, issued)],
  // Whatever its profile says: a responder that could issue certificates would be a CA nobody planned.
  admits: (p, intent, fact, cited) =>
    !intent.ca && admitsIssued(p, intent, fact, cited.profile(p.profile)),
  async subject(p, room) {
    return issueSubject(p, room);
  },
  run: issueRun,
  settle: issueSettle,
});
