/** Trust on requests from outside, beyond those that every name and key is judged by. */

import type { CsrView } from "./csr.ts";
import { find, type KeyHolder, type Lint, readProblem } from "./lint-rule.ts";

export interface RequestSubject extends KeyHolder {
  readonly view: CsrView;
}

type Check = Lint<RequestSubject>["check"];

const attributes: Check = ({ view }) =>
  view.attributes.length === 0
    ? undefined
    : `it holds ${view.attributes.map(({ oid }) => oid).join(", ")}, which nothing here reads`;

const extension: Check = ({ view }) => {
  const other = find(view, "other");
  return other && `it asks for the extension ${other.oid}, which we do not issue`;
};

const endEntity: Check = ({ view, role }) =>
  role !== "ocsp-responder" && find(view, "basic-constraints")?.ca === false
    ? "it asks to be no CA"
    : undefined;

export const REQUEST_LINTS: readonly Lint<RequestSubject>[] = [
  { rule: "request-attribute", severity: "warning", source: "RFC 2985 §5.4", check: attributes },
  { rule: "request-extension", severity: "warning", source: "BR 7.1.2.11.5", check: extension },
  { rule: "request-ca", severity: "error", source: "RFC 5280 §4.2.1.9", check: endEntity },
];

/** What is no request in DER, or not signed by its own sound key, is judged no further. */
export const REQUEST_READ_LINT: Lint<() => unknown> = {
  rule: "request-readable",
  severity: "error",
  source: "RFC 2986 §4; X.690 §10, §11; BR 6.1.1.3",
  check: readProblem,
};
