/**
 * SIGKILL between a signature and its files, through the command line: what was agreed to is finished, one
 * document comes of it under the agreed number, and no file that is there is written again.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { lastOf, siteAt, succeeded, type RehearsedSite } from "../support/rehearsed-site.ts";

const PRELOAD = join(import.meta.dirname, "..", "support", "kill-at-file.mjs");
const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

interface Case {
  readonly when: "open" | "sync";
  readonly file: string;
  /** Files of the step that are there when the process is gone. */
  readonly left: readonly string[];
}

interface About {
  readonly at: "prepared" | "generated";
  readonly ceremony: string;
  readonly set: Readonly<Record<string, string>>;
  readonly step: string;
  readonly kind: string;
  /** What the agreed number is called, in the intent and in the fact. */
  readonly number: string;
  readonly files: readonly string[];
}

const CRL: About = {
  ...{ at: "generated", ceremony: "sign-crl", step: "crl", kind: "crl.issued", number: "number" },
  set: { key: "root-g1", issuer: "root-ca", file: "first" },
  files: ["first.crl", "first.crl.pem"],
};
const ROOT: About = {
  ...{ at: "prepared", ceremony: "generate-root-ca", step: "certify", kind: "certificate.issued" },
  ...{ number: "serial", set: {}, files: ["root-ca.der", "root-ca.p7b", "root-ca.pem"] },
};

const CASES: readonly (readonly [About, Case])[] = [
  [CRL, { when: "open", file: "first.crl", left: [] }],
  [CRL, { when: "sync", file: "first.crl.pem", left: ["first.crl", "first.crl.pem"] }],
  [ROOT, { when: "open", file: "root-ca.pem", left: ["root-ca.der"] }],
];

/** Files in the outbox with what they hold and when they were written. */
function outbox(site: RehearsedSite): ReadonlyMap<string, string> {
  const folder = site.file("outbox");
  if (!existsSync(folder)) return new Map();
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  return new Map(
    paths.map((path) => {
      const { ino, mtimeNs } = statSync(path, { bigint: true });
      return [basename(path), `${sha256Hex(readFileSync(path))} ${ino} ${mtimeNs}`];
    }),
  );
}

function mentioned(files: ReadonlyMap<string, string>, names: readonly string[]): string[] {
  return [...files.keys()].filter((name) => names.includes(name)).sort();
}

for (const [about, { when, file, left }] of CASES) {
  describe(`C02: killed at ${when} of ${file}, when the token has signed`, () => {
    const site = siteAt(about.at);
    const change = (answers: { set: Record<string, string | number> }): void => {
      Object.assign(answers.set, about.set);
    };
    const env = {
      ...{ NODE_OPTIONS: `--import ${PRELOAD}`, KEYRITE_KILL_FILE: file },
      KEYRITE_KILL_WHEN: when,
    };
    const killed = site.rehearse(about.ceremony, change, [], { env });
    const begun = lastOf(site, "step.begun");
    const before = outbox(site);

    test("the agreed bytes are on record, and the files that were written", () => {
      assert.equal(killed.signal, "SIGKILL", killed.stderr);
      assert.equal(begun.step, about.step);
      assert.equal(site.entries().at(-1)?.seq, begun.seq);
      assert.deepEqual(mentioned(before, about.files), [...left].sort());
    });

    test("resumed, one document comes of it, under the number that was agreed to", () => {
      succeeded(
        site.rehearse(
          about.ceremony,
          (answers) => {
            change(answers);
            const { storage } = answers.answers;
            answers.answers = {
              ...(storage === undefined ? {} : { storage }),
              resume: { present: TWO },
              [about.step]: { settle: { room: "finish" } },
            };
          },
          ["--resume"],
        ),
      );
      const facts = site.entries().flatMap((entry) => entry.facts);
      const made = facts.filter(({ kind }) => kind === about.kind);
      const intent = begun.data["intent"] as Readonly<Record<string, unknown>>;
      assert.deepEqual(
        made.map((fact) => fact[about.number]),
        [intent[about.number]],
      );
      const after = outbox(site);
      assert.deepEqual(mentioned(after, about.files), [...about.files].sort());
      // What was there is there still, not written anew: the same bytes, file and time.
      for (const [name, what] of before) assert.equal(after.get(name), what, name);
      const [fact] = made;
      for (const one of fact?.["files"] as readonly { file: string; sha256: string }[]) {
        assert.equal(after.get(one.file)?.split(" ")[0], one.sha256);
      }
      assert.match(succeeded(site.keyrite(["verify"])).stdout, /^Integrity: CONSISTENT/m);
      accepted(site, about.files[0] ?? "");
    });
  });
}

/** By openssl, under the root. */
function accepted(site: RehearsedSite, name: string): void {
  const folder = site.file("outbox");
  const path = (file: string): string =>
    join(
      folder,
      readdirSync(folder, { recursive: true, encoding: "utf8" }).find(
        (one) => basename(one) === file,
      ) ?? file,
    );
  const ca = path("root-ca.pem");
  const args = name.endsWith(".crl")
    ? ["crl", "-inform", "DER", "-noout", "-in", path(name), "-CAfile", ca]
    : ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", ca, ca];
  execFileSync("openssl", args, { stdio: "pipe" });
}
