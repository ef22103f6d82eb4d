/**
 * What comes from outside in the demo and in rehearsals: another organisation's root, its request for a
 * certificate, and the certificate that it makes of a request from here. All by openssl, not by Keyrite.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KeyriteError } from "../lib/errors.ts";
import { makeFolders } from "../lib/files.ts";

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes"] as const;

/**
 * The options of `check` and `run` that name what a ceremony takes in from outside; none for most.
 * @param folder where the other organisation keeps its files
 * @param outbox that of the site, with a request in it where one is answered
 */
export function filesFromOutside(
  ceremony: string,
  folder: string,
  outbox: string,
): readonly string[] {
  switch (ceremony) {
    case "issue-subordinate":
      return ["--set", `request=${partnerRequest(folder)}`];
    case "cross-certify":
      return ["--set", `certificate=${partnerRoot(folder)}`];
    case "import-certificate": {
      const issuer = partnerRoot(folder);
      const certificate = answerRequest(folder, requestIn(outbox));
      return ["--set", `issuer=${issuer}`, "--set", `certificate=${certificate}`];
    }
    default:
      return [];
  }
}

function partnerRoot(folder: string): string {
  const path = join(folder, "partner-root.pem");
  if (existsSync(path)) return path;
  makeFolders(folder);
  openssl([
    ...["req", "-x509", ...CURVE, "-keyout", join(folder, "partner-root.key"), "-out", path],
    ...["-sha384", "-days", "3650", "-subj", "/C=DE/O=Partner/CN=Partner Root"],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  return path;
}

function partnerRequest(folder: string): string {
  const path = join(folder, "partner-ca.csr");
  if (existsSync(path)) return path;
  makeFolders(folder);
  const key = join(folder, "partner-ca.key");
  openssl([
    ...["req", "-new", ...CURVE, "-keyout", key, "-out", path],
    ...["-sha384", "-subj", "/C=DE/O=Partner/CN=Partner Issuing CA"],
  ]);
  return path;
}

/** The first request in the outbox of any ceremony. */
function requestIn(outbox: string): string {
  const found = readdirSync(outbox, { recursive: true, encoding: "utf8" })
    .toSorted()
    .find((name) => name.endsWith(".csr"));
  if (found !== undefined) return join(outbox, found);
  throw new KeyriteError("usage.bad-file", `there is no request in ${outbox}`);
}

function answerRequest(folder: string, request: string): string {
  const path = join(folder, "answered.pem");
  if (existsSync(path)) return path;
  const extensions = join(folder, "answered.cnf");
  const lines = [
    "basicConstraints=critical,CA:TRUE,pathlen:0",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
  ];
  writeFileSync(extensions, `${lines.join("\n")}\n`);
  const root = partnerRoot(folder);
  openssl([
    ...["x509", "-req", "-in", request, "-CA", root, "-CAkey", join(folder, "partner-root.key")],
    ...["-sha384", "-days", "1825", "-extfile", extensions, "-out", path],
  ]);
  return path;
}

function openssl(args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status === 0) return;
  throw new KeyriteError("usage.bad-file", `openssl cannot play the outside: ${stderr}`, {
    hints: ["install openssl 3, or rehearse another ceremony"],
  });
}
