/**
 * Other people's tools, asked to judge what we issue. A tool that is not installed is absent, and says
 * so; only openssl must be there.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pem, type PemLabel } from "../../src/pki/pem.ts";
import type { IssuedSet } from "./issued-set.ts";

export type What = keyof IssuedSet;
export const WHATS: readonly What[] = [
  ...(["root", "subordinate", "cross", "responder", "crl", "csr", "bundle"] as const),
];

/** What a tool says: that it accepts, that it does not (in its words), or that it has no such check. */
export type Answer =
  | { readonly kind: "accepts" }
  | { readonly kind: "refuses"; readonly says: string }
  | { readonly kind: "not-judged" };

export interface Outsider {
  readonly name: string;
  /** What the table says of how it was asked. */
  readonly how: string;
  /** Its version, or undefined when it is not installed. */
  readonly version: () => string | undefined;
  /** Judges every file of a set, which lie in `folder`. */
  readonly judge: (folder: string) => Readonly<Record<What, Answer>>;
}

const LABELS: Readonly<Record<What, PemLabel>> = {
  ...{ root: "CERTIFICATE", subordinate: "CERTIFICATE", cross: "CERTIFICATE" },
  ...{ responder: "CERTIFICATE", crl: "X509 CRL", csr: "CERTIFICATE REQUEST", bundle: "PKCS7" },
};

/** Writes a set as `root.pem`, `root.der` and so on. */
export function writeSet(folder: string, set: IssuedSet): void {
  mkdirSync(folder, { recursive: true });
  for (const what of WHATS) {
    writeFileSync(join(folder, `${what}.der`), set[what]);
    writeFileSync(join(folder, `${what}.pem`), pem(set[what], LABELS[what]));
  }
  const chain = ["subordinate", "root"] as const;
  writeFileSync(
    join(folder, "chain.pem"),
    chain.map((one) => pem(set[one], "CERTIFICATE")).join(""),
  );
}

interface Ran {
  readonly status: number | null;
  readonly output: string;
}

function run(folder: string, command: string, input = ""): Ran {
  const [name = "", ...args] = command.split(" ");
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    ...{ cwd: folder, encoding: "utf8", input, timeout: 60_000 },
    env: { ...process.env, LC_ALL: "C" },
  });
  return { status: error === undefined ? status : null, output: `${stdout}${stderr}` };
}

function judged({ status, output }: Ran, wanted: RegExp): Answer {
  if (status === 0 && wanted.test(output)) return { kind: "accepts" };
  const lines = output.split("\n").map((line) => line.trim());
  const says = lines.find((line) =>
    /error|fail|invalid|not |bad|unsupported|exception/i.test(line),
  );
  return { kind: "refuses", says: says ?? lines[0] ?? `exit ${String(status)}` };
}

const NOT_JUDGED: Answer = { kind: "not-judged" };

function versionOf(command: string, pattern: RegExp): string | undefined {
  const { status, output } = run(".", command);
  return status === null ? undefined : (pattern.exec(output)?.[1] ?? "unknown version");
}

const openssl: Outsider = {
  name: "OpenSSL",
  how: "`verify -x509_strict`, with `-check_ss_sig` for the root; `verify -crl_check`, `req -verify`, `pkcs7`",
  version: () => versionOf("openssl version", /OpenSSL (\S+)/),
  judge: (folder) => {
    const verify = (file: string, more = ""): Answer =>
      judged(
        run(folder, `openssl verify -x509_strict ${more}-CAfile root.pem ${file}.pem`),
        /: OK/,
      );
    return {
      root: verify("root", "-check_ss_sig "),
      subordinate: verify("subordinate"),
      cross: verify("cross"),
      responder: verify("responder"),
      crl: both(
        judged(run(folder, "openssl crl -in crl.pem -CAfile root.pem -noout"), /verify OK/),
        verify("subordinate", "-crl_check -CRLfile crl.pem "),
      ),
      csr: judged(run(folder, "openssl req -in csr.pem -verify -noout"), /verif\S* OK/i),
      bundle: judged(run(folder, "openssl pkcs7 -in bundle.pem -print_certs -noout"), /Issuing/),
    };
  },
};

const gnutls: Outsider = {
  name: "GnuTLS certtool",
  how: "`--verify`, `--verify-crl`, `--crq-info` (which verifies), `--p7-info`",
  version: () => versionOf("certtool --version", /certtool (\S+)/),
  judge: (folder) => {
    const verify = (file: string): Answer =>
      judged(
        run(folder, `certtool --verify --load-ca-certificate root.pem --infile ${file}.pem`),
        /verified\. The certificate is trusted/i,
      );
    return {
      root: verify("root"),
      subordinate: verify("subordinate"),
      cross: verify("cross"),
      responder: verify("responder"),
      crl: judged(
        run(folder, "certtool --verify-crl --load-ca-certificate root.pem --infile crl.pem"),
        /Verified\./,
      ),
      csr: judged(run(folder, "certtool --crq-info --infile csr.pem"), /Self signature: verified/),
      bundle: judged(
        run(folder, "certtool --p7-info --infile bundle.pem"),
        /Number of certificates: 2/i,
      ),
    };
  },
};

const nss: Outsider = {
  name: "NSS certutil",
  how: "`-V -u L` (`-u O` for the responder), `crlutil -I`; NSS has no command for requests and bundles",
  version: () => {
    const { status, output } = run(".", "dpkg-query -W -f ${Version} libnss3-tools");
    const there = run(".", "certutil --help").status !== null;
    return there ? (status === 0 ? output : "unknown version") : undefined;
  },
  judge: (folder) => {
    run(folder, "certutil -N -d sql:. --empty-password");
    const root = run(folder, "certutil -A -d sql:. -n root -t CT,C,C -i root.pem");
    if (root.status !== 0) return unloadable(judged(root, /./));
    const verify = (file: string, usage: string): Answer => {
      if (file !== "root") run(folder, `certutil -A -d sql:. -n ${file} -t ,, -i ${file}.pem`);
      return judged(
        run(folder, `certutil -V -d sql:. -e -n ${file} -u ${usage}`),
        /certificate is valid/,
      );
    };
    return {
      root: verify("root", "L"),
      subordinate: verify("subordinate", "L"),
      cross: verify("cross", "L"),
      responder: verify("responder", "O"),
      crl: judged(run(folder, "crlutil -I -d sql:. -i crl.der -t 1"), /^\s*$|CRL/),
      csr: NOT_JUDGED,
      bundle: NOT_JUDGED,
    };
  },
};

/** A tool that cannot load the root can judge nothing below it either. */
function unloadable(answer: Answer): Readonly<Record<What, Answer>> {
  const all = { root: answer, subordinate: answer, cross: answer, responder: answer, crl: answer };
  return { ...all, csr: NOT_JUDGED, bundle: NOT_JUDGED };
}

const STORE = "-keystore trust.p12 -storepass changeit";

const keytool: Outsider = {
  name: "Java keytool",
  how: "`-importcert` under the root alone (asks when no chain builds), `-printcrl` (which verifies), `-printcertreq`, `-printcert`",
  version: () => {
    const there = run(".", "keytool -help").status !== null;
    return there ? versionOf("java -version", /version "([^"]+)"/) : undefined;
  },
  judge: (folder) => {
    const add = (file: string): Answer =>
      judged(
        // Where no chain builds it asks whether to trust, and is told no.
        run(folder, `keytool -importcert -alias ${file} -file ${file}.pem ${STORE}`, "no\n"),
        /was added to keystore/,
      );
    return {
      root: judged(
        run(folder, `keytool -importcert -noprompt -alias root -file root.pem ${STORE}`),
        /was added to keystore/,
      ),
      subordinate: add("subordinate"),
      cross: add("cross"),
      responder: add("responder"),
      crl: judged(run(folder, `keytool -printcrl -file crl.pem ${STORE}`), /Verified by root/),
      csr: judged(
        run(folder, "keytool -printcertreq -file csr.pem"),
        /PKCS #?10 Certificate Request/,
      ),
      bundle: judged(run(folder, "keytool -printcert -file bundle.pem"), /Certificate\[2\]/),
    };
  },
};

export const OUTSIDERS: readonly Outsider[] = [openssl, gnutls, nss, keytool];

function both(first: Answer, second: Answer): Answer {
  return first.kind === "accepts" ? second : first;
}
