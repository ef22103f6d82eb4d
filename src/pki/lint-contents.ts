/** Trust on what stands inside policies, name constraints and addresses. */

import type { GeneralNameView } from "./extensions.ts";
import { type CertificateSubject, find, type Lint } from "./lint-rule.ts";
import { nameOutside } from "./name-constraints.ts";
import type { CertificateView } from "./view.ts";

type Check = Lint<CertificateSubject>["check"];

const ANY_POLICY = "2.5.29.32.0";
/** BR 7.1.6.1: domain, organisation, individual and extended validation. */
const RESERVED = ["2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3", "2.23.140.1.1"];

const policiesOnce: Check = ({ view }) => {
  const oids = policyOids(view);
  const twice = oids.find((oid, index) => oids.indexOf(oid) < index);
  return twice === undefined ? undefined : `the policy ${twice} stands twice`;
};

const policiesAny: Check = ({ view, trust }) => {
  const oids = policyOids(view);
  return trust !== "private" && oids.includes(ANY_POLICY) && new Set(oids).size > 1
    ? "anyPolicy stands beside other policies"
    : undefined;
};

const policiesReserved: Check = ({ view, trust, role }) => {
  const oids = policyOids(view);
  if (trust !== "tls" || role === "root" || role === "ocsp-responder" || oids.length === 0) {
    return undefined;
  }
  if (oids.includes(ANY_POLICY)) return undefined;
  const count = new Set(oids.filter((oid) => RESERVED.includes(oid))).size;
  const fits = role === "cross" ? count > 0 : count === 1;
  return fits ? undefined : `${count} reserved policies of the Baseline Requirements stand in it`;
};

const constraintsEmpty: Check = ({ view }) => {
  const found = find(view, "name-constraints");
  return found !== undefined && found.permitted.length + found.excluded.length === 0
    ? "the name constraints are empty"
    : undefined;
};

const constraintsForm: Check = ({ view }) => {
  const found = find(view, "name-constraints");
  return [...(found?.permitted ?? []), ...(found?.excluded ?? [])]
    .map(constraintProblem)
    .find((problem) => problem !== undefined);
};

const constraintsKept: Check = ({ view, issuer }) => {
  const problem = issuer === null ? undefined : nameOutside(view, issuer);
  return problem === undefined ? undefined : `under the issuer's name constraints ${problem}`;
};

const HOST = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** RFC 5280 §4.2.1.10. */
function constraintProblem(name: GeneralNameView): string | undefined {
  switch (name.type) {
    case "dns":
      return name.value === "" || HOST.test(name.value)
        ? undefined
        : "a DNS constraint is not a lower-case domain without a leading dot";
    case "ip":
      return isSubnet(name.value) ? undefined : "an IP constraint is not an address and its mask";
    case "email":
      return HOST.test(name.value.replace(/^([!-?A-~]{1,64}@|\.)/, ""))
        ? undefined
        : "an email constraint is no mailbox, host or domain";
    case "uri":
      return HOST.test(name.value.replace(/^\./, ""))
        ? undefined
        : "a URI constraint is no host or domain";
    case "directory":
      return name.name.length > 0 ? undefined : "a directory constraint is empty";
    case "other":
      return "a name constraint is of a kind that nobody checks";
  }
}

function isSubnet(digits: string): boolean {
  if (digits.length !== 16 && digits.length !== 64) return false;
  const half = digits.length / 2;
  const mask = BigInt(`0x${digits.slice(half)}`);
  const all = (1n << BigInt(half * 4)) - 1n;
  // Ones and then zeros: the complement plus one is a power of two.
  const rest = all ^ mask;
  return (rest & (rest + 1n)) === 0n && (BigInt(`0x${digits.slice(0, half)}`) & rest) === 0n;
}

const urlScheme: Check = ({ view }) => {
  const wrong = addresses(view).find((url) => !url.startsWith("http://"));
  if (wrong !== undefined) return "an address of a list, issuer or responder is not http";
  const pages = policyPages(view).find((url) => !/^https?:\/\//.test(url));
  return pages === undefined ? undefined : "the address of a policy is not http or https";
};

const urlForm: Check = ({ view }) =>
  [...addresses(view), ...policyPages(view)].some((url) => !isPlainUrl(url))
    ? "an address is not in its plain form: a host name, a path, nothing hidden"
    : undefined;

const urlOnce: Check = ({ view }) => {
  const lists = [
    (find(view, "authority-info-access")?.access ?? []).map(
      ({ method, uri }) => `${method} ${uri}`,
    ),
    (find(view, "crl-distribution-points")?.points ?? []).flat(),
  ];
  return lists.some((list) => new Set(list).size < list.length)
    ? "an address stands twice"
    : undefined;
};

/** As the URL parser would write it itself: no user, port, fragment, upper-case host or stray space. */
function isPlainUrl(url: string): boolean {
  // Another rule's to say.
  if (!/^https?:\/\//.test(url)) return true;
  try {
    const { href, hostname, username, password, port, hash } = new URL(url);
    const same = href === url || href === `${url}/`;
    const named = HOST.test(hostname) && hostname.includes(".") && !/^[\d.]+$/.test(hostname);
    return same && named && username + password + port + hash === "" && !url.includes("#");
  } catch {
    return false;
  }
}

export const CONTENT_LINTS: readonly Lint<CertificateSubject>[] = [
  { rule: "policies-once", severity: "error", source: "RFC 5280 §4.2.1.4", check: policiesOnce },
  { rule: "policies-any", severity: "error", source: "BR 7.1.2.10.5", check: policiesAny },
  {
    rule: "policies-reserved",
    severity: "error",
    source: "BR 7.1.2.10.5, 7.1.2.2.6",
    check: policiesReserved,
  },
  {
    rule: "name-constraints-empty",
    severity: "error",
    source: "RFC 5280 §4.2.1.10",
    check: constraintsEmpty,
  },
  {
    rule: "name-constraints-form",
    severity: "error",
    source: "RFC 5280 §4.2.1.10; BR 7.1.2.10.8",
    check: constraintsForm,
  },
  {
    rule: "name-constraints-kept",
    severity: "error",
    source: "RFC 5280 §4.2.1.10, §6.1.3",
    check: constraintsKept,
  },
  {
    rule: "url-scheme",
    severity: "error",
    source: "RFC 5280 §4.2.2.1; BR 7.1.2.11.2, 7.1.2.10.3",
    check: urlScheme,
  },
  { rule: "url-form", severity: "error", source: "RFC 5280 §4.2.1.6", check: urlForm },
  { rule: "url-once", severity: "error", source: "BR 7.1.2.10.3", check: urlOnce },
];

function policyOids(view: CertificateView): readonly string[] {
  return (find(view, "certificate-policies")?.policies ?? []).map(({ oid }) => oid);
}

function policyPages(view: CertificateView): readonly string[] {
  return (find(view, "certificate-policies")?.policies ?? []).flatMap(({ cps }) => cps);
}

function addresses(view: CertificateView): readonly string[] {
  return [
    ...(find(view, "authority-info-access")?.access ?? []).map(({ uri }) => uri),
    ...(find(view, "crl-distribution-points")?.points ?? []).flat(),
  ];
}
