/** A time-stamping authority of openssl's, with its root, in a folder of its own. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const CONFIG = `[tsa]
dir = .
serial = serial
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.5
digests = sha256, sha384
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
signer_digest = sha256
ess_cert_id_alg = sha256
`;

export interface TimeAuthority {
  /** PEM file of its root. */
  readonly root: string;
  /** Answers a request file; returns the answer's path. */
  answer(request: string, out: string): string;
}

export function timeAuthority(folder: string): TimeAuthority {
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  };
  const file = (name: string): string => join(folder, name);
  writeFileSync(file("tsa.cnf"), CONFIG);
  writeFileSync(file("serial"), "01\n");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "root.key",
    "-out",
    "root.pem",
    "-days",
    "30",
    "-subj",
    "/CN=Stamp Root",
    "-addext",
    "basicConstraints=critical,CA:true",
  );
  openssl(
    "req",
    "-new",
    "-newkey",
    "rsa:3072",
    "-nodes",
    "-keyout",
    "tsa.key",
    "-out",
    "tsa.csr",
    "-subj",
    "/CN=Stamp Authority/O=Example",
  );
  writeFileSync(
    file("tsa.ext"),
    `extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n`,
  );
  openssl(
    "x509",
    "-req",
    "-in",
    "tsa.csr",
    "-CA",
    "root.pem",
    "-CAkey",
    "root.key",
    "-days",
    "20",
    "-out",
    "tsa.pem",
    "-extfile",
    "tsa.ext",
    "-set_serial",
    "7",
  );
  return {
    root: file("root.pem"),
    answer(request, out) {
      openssl(
        "ts",
        "-reply",
        "-config",
        "tsa.cnf",
        "-section",
        "tsa",
        "-queryfile",
        request,
        "-signer",
        "tsa.pem",
        "-inkey",
        "tsa.key",
        "-out",
        out,
      );
      return out;
    },
  };
}
