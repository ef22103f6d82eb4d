/**
 * Named rules a certificate is judged by before anybody agrees to it. Each has its source, so that a
 * finding can be looked up and a deviation can name what it waives.
 */

import { ROOT_EXTENSION_LINTS } from "./lint-extensions.ts";
import { ROOT_FIELD_LINTS } from "./lint-fields.ts";
import { KEY_LINTS } from "./lint-key.ts";
import { NAME_LINTS } from "./lint-name.ts";
import type { Lint, Severity } from "./lint-rule.ts";
import type { CertificateView } from "./view.ts";

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly source: string;
  readonly message: string;
}

/** The rules for self-signed roots, in the order of the fields. */
export const ROOT_LINTS: readonly Lint[] = [
  ...ROOT_FIELD_LINTS,
  ...NAME_LINTS,
  ...KEY_LINTS,
  ...ROOT_EXTENSION_LINTS,
];

/** Every rule of the table that a certificate breaks; empty for a good one. */
export function lint(
  view: CertificateView,
  lints: readonly Lint[] = ROOT_LINTS,
): readonly Finding[] {
  return lints.flatMap(({ rule, severity, source, check }) => {
    const message = check(view);
    return message === undefined ? [] : [{ rule, severity, source, message }];
  });
}
