/** Rules on the extensions of self-signed roots. */

import { fromHex } from "../lib/encoding.ts";
import type { ExtensionView } from "./extensions.ts";
import type { Lint } from "./lint-rule.ts";
import { keyIdOf, ROOT_PROFILE } from "./profile.ts";
import type { CertificateView } from "./view.ts";

type Kind = ExtensionView["kind"];

function extensionOnceProblem({ extensions }: CertificateView): string | undefined {
  const names = extensions.map((found) => (found.kind === "other" ? found.oid : found.kind));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? undefined : `the extension ${twice} stands twice`;
}

function extensionUnknownProblem(view: CertificateView): string | undefined {
  const other = find(view, "other");
  return other && `the extension ${other.oid} does not belong in a root`;
}

function basicConstraintsCaProblem(view: CertificateView): string | undefined {
  const found = find(view, "basic-constraints");
  if (found === undefined) return "basic constraints are missing";
  return found.ca && found.critical ? undefined : "basic constraints are not critical and CA";
}

function basicConstraintsLengthProblem(view: CertificateView): string | undefined {
  const limit = find(view, "basic-constraints")?.pathLength ?? null;
  return limit === null ? undefined : `a root limits the levels below it to ${limit}`;
}

function keyUsageProblem(view: CertificateView): string | undefined {
  const found = find(view, "key-usage");
  if (found === undefined) return "the key usage is missing";
  if (!found.critical) return "the key usage is not critical";
  const wanted = ROOT_PROFILE.keyUsage.join(" and ");
  const usages = found.usages.join(" and ");
  return usages === wanted ? undefined : `the key usage is ${usages || "empty"}, not ${wanted}`;
}

function authorityKeyIdProblem(view: CertificateView): string | undefined {
  const found = find(view, "authority-key-id");
  if (found === undefined) return undefined;
  if (found.critical) return "the authority key id is critical";
  const same = found.keyId === find(view, "subject-key-id")?.keyId;
  return same ? undefined : "the authority key id of a root is not its subject key id";
}
type Of<K extends Kind> = Extract<ExtensionView, { readonly kind: K }>;

export const ROOT_EXTENSION_LINTS: readonly Lint[] = [
  {
    rule: "extension-once",
    severity: "error",
    source: "RFC 5280 §4.2",
    check: extensionOnceProblem,
  },
  {
    rule: "extension-unknown",
    severity: "error",
    source: "BR 7.1.2.1.2",
    check: extensionUnknownProblem,
  },
  {
    rule: "basic-constraints-ca",
    severity: "error",
    source: "RFC 5280 §4.2.1.9; BR 7.1.2.1.4",
    check: basicConstraintsCaProblem,
  },
  {
    rule: "basic-constraints-length",
    severity: "warning",
    source: "BR 7.1.2.1.4",
    check: basicConstraintsLengthProblem,
  },
  {
    rule: "key-usage",
    severity: "error",
    source: "RFC 5280 §4.2.1.3; BR 7.1.2.10.7",
    check: keyUsageProblem,
  },
  {
    rule: "subject-key-id",
    severity: "error",
    source: "RFC 5280 §4.2.1.2; RFC 7093 §2",
    check: subjectKeyId,
  },
  {
    rule: "authority-key-id",
    severity: "error",
    source: "BR 7.1.2.1.3",
    check: authorityKeyIdProblem,
  },
];

function subjectKeyId(view: CertificateView): string | undefined {
  const found = find(view, "subject-key-id");
  if (found === undefined) return "the subject key id is missing";
  if (found.critical) return "the subject key id is critical";
  const spki = fromHex(view.key.spki) ?? new Uint8Array();
  return found.keyId === keyIdOf(spki) ? undefined : "the subject key id is not that of the key";
}

function find<K extends Kind>(view: CertificateView, kind: K): Of<K> | undefined {
  return view.extensions.find((extension): extension is Of<K> => extension.kind === kind);
}
