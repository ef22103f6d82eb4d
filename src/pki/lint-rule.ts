/** What a rule for certificates is. */

import type { CertificateView } from "./view.ts";

/** An error stops the issuing; a warning is shown to the room and recorded. */
export type Severity = "error" | "warning";

export interface Lint {
  /** Stable name of the rule, kebab-case. */
  readonly rule: string;
  readonly severity: Severity;
  /** Document and section: `RFC 5280 §4.1.2.2`, `BR 7.1.2.1.1`. */
  readonly source: string;
  /** What breaks the rule, as one sentence without a full stop, or undefined. */
  readonly check: (view: CertificateView) => string | undefined;
}
