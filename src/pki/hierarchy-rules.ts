/** Rules between the parts of a hierarchy; what one part must keep by itself is in the lint tables. */

import { isDeepStrictEqual } from "node:util";
import { chainOf, type Hierarchy, listsOf, type PlacedCertificate } from "./hierarchy-model.ts";
import { keyAlgorithm } from "./keys.ts";
import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { find, type Severity } from "./lint-rule.ts";
import { nameOutside } from "./name-constraints.ts";
import { formatDn } from "./names.ts";

/** What a rule has to say, and of which files. */
export interface Breach {
  readonly files: readonly string[];
  readonly message: string;
}

export interface HierarchyRule {
  readonly rule: string;
  readonly severity: Severity;
  readonly source: string;
  readonly check: (hierarchy: Hierarchy, nowMs: number) => readonly Breach[];
}

type Check = HierarchyRule["check"];

const readable: Check = ({ unreadable }) =>
  unreadable.map(({ name, meant, problem }) => ({
    files: [name],
    message: `it is no ${WORDS[meant]} that can be judged: ${problem}`,
  }));
const WORDS = { certificate: "certificate", crl: "revocation list", csr: "request" } as const;

const issuerAbsent: Check = ({ certificates, crls }) =>
  [...certificates, ...crls]
    .filter(({ signer }) => signer.kind === "absent")
    .map(({ item }) => ({
      files: [item.name],
      message: `its issuer, ${formatDn(item.kind === "crl" ? item.read.header.issuer : item.read.view.issuer)}, is not among the files`,
    }));

const signature: Check = ({ certificates, crls }) =>
  [...certificates, ...crls].flatMap(({ item, signer }) =>
    signer.kind === "forged"
      ? [
          {
            files: [item.name, signer.meant.name],
            message: "its signature does not verify under the issuer that it names",
          },
        ]
      : [],
  );

/** Pairs of certificates, each once. */
function pairs(certificates: readonly PlacedCertificate[]) {
  return certificates.flatMap((a, index) =>
    certificates.slice(index + 1).map((b) => ({ a, b, files: [a.item.name, b.item.name] })),
  );
}

const serialTwice: Check = ({ certificates }) =>
  pairs(certificates)
    .filter(({ a, b }) => {
      const [one, two] = [a.item.read.view, b.item.read.view];
      return one.serial === two.serial && isDeepStrictEqual(one.issuer, two.issuer);
    })
    .map(({ files }) => ({ files, message: "one issuer gave both the same serial number" }));

const keyTwoNames: Check = ({ certificates }) =>
  pairs(certificates)
    .filter(({ a, b }) => {
      const [one, two] = [a.item.read.view, b.item.read.view];
      return one.key.spki === two.key.spki && !isDeepStrictEqual(one.subject, two.subject);
    })
    .map(({ files }) => ({ files, message: "two subjects share one key" }));

const nameTwoKeys: Check = ({ certificates }) =>
  pairs(certificates.filter(({ standing }) => standing !== "end-entity"))
    .filter(({ a, b }) => {
      const [one, two] = [a.item.read.view, b.item.read.view];
      return one.key.spki !== two.key.spki && isDeepStrictEqual(one.subject, two.subject);
    })
    .map(({ files }) => ({ files, message: "two CA keys share one name" }));

const keyIdTwice: Check = ({ certificates }) =>
  pairs(certificates)
    .filter(({ a, b }) => {
      const [one, two] = [a.item.read.view, b.item.read.view];
      const id = find(one, "subject-key-id")?.keyId;
      return (
        id !== undefined &&
        one.key.spki !== two.key.spki &&
        id === find(two, "subject-key-id")?.keyId
      );
    })
    .map(({ files }) => ({ files, message: "two keys share one subject key id" }));

const keyIdDiffers: Check = ({ certificates }) =>
  pairs(certificates)
    .filter(({ a, b }) => {
      const [one, two] = [a.item.read.view, b.item.read.view];
      const ids = [one, two].map((view) => find(view, "subject-key-id")?.keyId);
      return one.key.spki === two.key.spki && ids[0] !== ids[1];
    })
    .map(({ files }) => ({ files, message: "one key stands under two subject key ids" }));

/** Bits of strength, NIST SP 800-57 part 1 table 2. */
const STRENGTH: Readonly<Record<KeyAlgorithm, number>> = {
  "rsa-3072": 128,
  "rsa-4096": 152,
  "p-256": 128,
  "p-384": 192,
  "p-521": 256,
  ed25519: 128,
};

const strength: Check = ({ certificates }) =>
  certificates.flatMap(({ item, signer }) => {
    if (signer.kind !== "found") return [];
    const own = keyAlgorithm(item.read.view.key);
    const above = keyAlgorithm(signer.item.read.view.key);
    if (own === null || above === null || STRENGTH[own] <= STRENGTH[above]) return [];
    const message = `its ${own} key is stronger than the ${above} key that vouches for it`;
    return [{ files: [item.name, signer.item.name], message }];
  });

const expired: Check = ({ certificates }, nowMs) =>
  certificates.flatMap(({ item }) => {
    const { notBefore, notAfter } = item.read.view;
    if (Date.parse(notAfter.time) < nowMs) {
      return [{ files: [item.name], message: `it has expired, at ${notAfter.time}` }];
    }
    if (Date.parse(notBefore.time) <= nowMs) return [];
    return [{ files: [item.name], message: `it is not valid before ${notBefore.time}` }];
  });

const addressesDiffer: Check = ({ certificates }) =>
  pairs(certificates)
    .filter(({ a, b }) => {
      if (a.signer.kind !== "found" || b.signer.kind !== "found") return false;
      if (a.signer.item !== b.signer.item) return false;
      const [one, two] = [a, b].map(
        ({ item }) => find(item.read.view, "crl-distribution-points")?.points,
      );
      return one !== undefined && two !== undefined && !isDeepStrictEqual(one, two);
    })
    .map(({ files }) => ({ files, message: "one issuer's lists are looked for in two places" }));

const crlMissing: Check = ({ certificates, crls }) =>
  certificates
    .filter(({ standing }) => standing !== "end-entity" && standing !== "ocsp-responder")
    .filter(({ item }) =>
      certificates.some(({ signer }) => signer.kind === "found" && signer.item === item),
    )
    .filter(({ item }) => listsOf(item.read.view.key.spki, crls).length === 0)
    .map(({ item }) => ({
      files: [item.name],
      message: "it has issued certificates, and none of the files is its revocation list",
    }));

const crlExpired: Check = ({ certificates, crls }, nowMs) =>
  [...new Set(certificates.map(({ item }) => item.read.view.key.spki))]
    .flatMap((spki) => listsOf(spki, crls).slice(0, 1))
    .filter(({ read: { header } }) => Date.parse(header.nextUpdate.time) < nowMs)
    .map(({ name, read: { header } }) => ({
      files: [name],
      message: `the next list was due at ${header.nextUpdate.time}`,
    }));

const crlNumbers: Check = ({ certificates, crls }) =>
  [...new Set(certificates.map(({ item }) => item.read.view.key.spki))].flatMap((spki) => {
    const lists = listsOf(spki, crls);
    return lists.slice(1).flatMap((older, index) => {
      const newer = lists[index];
      if (newer === undefined || numberOf(newer) > numberOf(older)) return [];
      const message = `the newer list has number ${numberOf(newer)}, the older ${numberOf(older)}`;
      return [{ files: [newer.name, older.name], message }];
    });
  });

function numberOf({ read: { header } }: Hierarchy["crls"][number]["item"]): bigint {
  return BigInt(`0x${find(header, "crl-number")?.number ?? "00"}`);
}

/** RFC 5280 §3.3: an entry stays until one list after the certificate's end has shown it. */
const crlDropped: Check = ({ certificates, crls }) =>
  [...new Set(certificates.map(({ item }) => item.read.view.key.spki))].flatMap((spki) => {
    const lists = listsOf(spki, crls);
    return lists.slice(1).flatMap((older, index) => {
      const newer = lists[index];
      const gone = newer && [...older.revoked.keys()].find((serial) => !newer.revoked.has(serial));
      if (newer === undefined || gone === undefined || ended(gone, spki, older, certificates))
        return [];
      const message = `serial number ${gone} was revoked in the older list and is not in the newer`;
      return [{ files: [newer.name, older.name], message }];
    });
  });

function ended(
  serial: string,
  spki: string,
  older: Hierarchy["crls"][number]["item"],
  certificates: readonly PlacedCertificate[],
): boolean {
  return certificates.some(
    ({ item: { read }, signer }) =>
      read.view.serial === serial &&
      signer.kind === "found" &&
      signer.item.read.view.key.spki === spki &&
      read.view.notAfter.time < older.read.header.thisUpdate.time,
  );
}

const issuerRevoked: Check = ({ certificates }) =>
  certificates.flatMap(({ item, revocation }) => {
    if (revocation !== undefined) return [];
    const above = chainOf(item, certificates).find((one) => one.revocation !== undefined);
    if (above === undefined) return [];
    return [{ files: [item.name, above.item.name], message: "a CA above it is revoked" }];
  });

/** What the issuer itself allows is in the lint tables. */
const constraintsAbove: Check = ({ certificates }) =>
  certificates.flatMap(({ item }) => {
    for (const { item: above } of chainOf(item, certificates).slice(1)) {
      const outside = nameOutside(item.read.view, above.read.view);
      if (outside === undefined) continue;
      const message = `under the name constraints of a CA further above ${outside}`;
      return [{ files: [item.name, above.name], message }];
    }
    return [];
  });

const requestName: Check = ({ csrs, certificates }) =>
  csrs.flatMap((csr) => {
    const answer = certificates.find(
      ({ item }) => item.read.view.key.spki === csr.read.view.key.spki,
    );
    if (
      answer === undefined ||
      isDeepStrictEqual(answer.item.read.view.subject, csr.read.view.subject)
    ) {
      return [];
    }
    const message = "the request and the certificate of its key have different subjects";
    return [{ files: [csr.name, answer.item.name], message }];
  });

const rule = (name: string, severity: Severity, source: string, check: Check): HierarchyRule => ({
  ...{ rule: name, severity, source, check },
});

export const HIERARCHY_RULES: readonly HierarchyRule[] = [
  rule("readable", "error", "RFC 5280 §4.1, §5.1; RFC 2986 §4", readable),
  rule("issuer-absent", "error", "RFC 5280 §6.1", issuerAbsent),
  rule("issuer-signature", "error", "RFC 5280 §6.1.3, §6.3.3", signature),
  rule("serial-twice", "error", "RFC 5280 §4.1.2.2", serialTwice),
  rule("key-two-names", "error", "BR 7.1.2.10.2", keyTwoNames),
  rule("name-two-keys", "warning", "BR 7.1.2.10.2", nameTwoKeys),
  rule("key-id-twice", "error", "BR 7.1.2.11.4", keyIdTwice),
  rule("key-id-differs", "warning", "RFC 5280 §4.2.1.2", keyIdDiffers),
  rule("key-strength", "warning", "NIST SP 800-57 part 1 §5.6", strength),
  rule("validity-now", "warning", "RFC 5280 §4.1.2.5", expired),
  rule("addresses-differ", "warning", "BR 7.1.2.11.2", addressesDiffer),
  rule("crl-missing", "warning", "BR 4.9.7", crlMissing),
  rule("crl-due", "warning", "RFC 5280 §5.1.2.5", crlExpired),
  rule("crl-numbers", "error", "RFC 5280 §5.2.3", crlNumbers),
  rule("crl-dropped", "error", "RFC 5280 §3.3", crlDropped),
  rule("issuer-revoked", "warning", "RFC 5280 §6.1.3", issuerRevoked),
  rule("constraints-above", "error", "RFC 5280 §6.1.3", constraintsAbove),
  rule("request-name", "warning", "RFC 2986 §3", requestName),
];
