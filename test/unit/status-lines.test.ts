/** The text of `keyrite status`: sentences that can be read aloud, however large the site. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { certificatesStatus } from "../../src/ceremony/certificate-status.ts";
import { concerns } from "../../src/ceremony/concerns.ts";
import { keyStatuses } from "../../src/ceremony/key-status.ts";
import { readPolicy } from "../../src/ceremony/policy.ts";
import { statusLines } from "../../src/cli/status-lines.ts";
import { sha256, utf8 } from "../../src/lib/encoding.ts";
import { BACKED_UP, CopiesDesk, FACT, sha } from "../support/copies-desk.ts";
import { POLICY } from "../support/stage-site.ts";

const policy = readPolicy(utf8(POLICY), "policy.yaml");

function lines(desk: CopiesDesk, all = false): readonly string[] {
  const { custody } = desk;
  const keys = keyStatuses(custody, policy, Date.parse(desk.now()));
  const history = {
    ...{ size: 9, lastTime: desk.now(), custody, policy, ceremonies: [], open: null },
    ...{ cosigned: 9, explained: 9, tail: null, clockGap: false, findings: [] },
    acts: { of: () => new Map() },
  };
  const genesis = { origin: custody.origin, assurance: custody.assurance };
  const ledger = { root: () => sha256(utf8("root")) };
  return statusLines(
    { history, genesis, ledger },
    {
      keys,
      certificates: certificatesStatus(custody, Date.parse(desk.now())),
      concerns: concerns(history, keys),
      all,
    },
  );
}

/** The lines of one section. */
function section(found: readonly string[], name: string): readonly string[] {
  const from = found.indexOf(name);
  assert.ok(from >= 0, `no section ${name} in\n${found.join("\n")}`);
  const length = found.slice(from + 1).findIndex((line) => !line.startsWith("  "));
  return found.slice(from + 1, length < 0 ? undefined : from + 1 + length);
}

describe("a site with copies", () => {
  const origin = "example.org/dc1/test";
  const desk = new CopiesDesk(
    [
      ...BACKED_UP,
      FACT.cloned("root-g1", "gamma"),
      FACT.locked("root-g1"),
      FACT.moved(),
      FACT.moved({ place: "token", name: "gamma", vault: "gamma", container: "safe 2" }),
      FACT.restored("root-g1", "beta", { origin }),
      FACT.gone("root-g1", "token", "beta"),
      FACT.drilled({ drill: "rehearsal", verdict: "fail", reasons: ["it took too long"] }),
    ],
    "test",
  );
  const found = lines(desk);
  const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`;

  test("says of a key where each copy is and when it was proved", () => {
    assert.deepEqual(section(found, "Keys"), [
      `  root-g1  p-256, backup wrap, SPKI ${sha("root-g1")}`,
      `    on token alpha, generated there, place not recorded, last proved ${at(9)}`,
      `    on token gamma, cloned there, off site at dc9 in safe 2, held by ana, last proved ${at(12)}`,
      `    in backup backup-1 under KEK vault.g1, last proved ${at(16)}`,
      "      in vault onsite, place not recorded",
      "      in vault offsite, off site at dc9 in bag 4711, held by ana",
      `    last restored from backup backup-1 of ${origin}, ${at(16)}`,
      "    2 copies on site, 2 off site; last drill that counts: never",
    ]);
  });

  test("says of a KEK who holds and who opens it", () => {
    const [head = "", holders] = section(found, "KEKs");
    assert.match(head, /^ {2}vault\.g1 {2}hsm-to-hsm, check value [0-9a-f]{16}$/);
    assert.equal(holders, "    held by alpha, beta; can be opened by alpha, beta");
  });

  test("says of a drill what it was, how it ended, and that a rehearsal never counts", () => {
    assert.deepEqual(section(found, "Drills"), [
      `  ${at(18)}  rehearsal FAIL  1 key of backup-1 on beta in 300 seconds`,
      "    it took too long",
      "    a rehearsal: it never counts",
    ]);
  });

  test("says that a KEK has existed outside an HSM", () => {
    const paper = FACT.kek("paper", { mode: "escrowed", envelopes: [] });
    const escrowed = new CopiesDesk([...BACKED_UP, FACT.escrowSet(), paper, FACT.escrowed()]);
    assert.deepEqual(section(lines(escrowed), "KEKs").slice(-2), [
      "    escrowed under share set kset.g1",
      "    it has existed outside an HSM",
    ]);
  });

  test("names what is red before what is missing", () => {
    const needs = section(lines(new CopiesDesk(BACKED_UP)), "NEEDS ATTENTION");
    assert.match(needs[0] ?? "", /^ {2}RED: key root-g1 can be taken out of token alpha/);
    assert.ok(needs.slice(1).every((line) => !line.includes("RED")));
  });

  test("says that nothing is due when nothing is", () => {
    assert.equal(lines(new CopiesDesk()).at(-1), "Nothing is open, due or in doubt.");
  });
});

describe("a site with a thousand keys", () => {
  const keys = Array.from({ length: 1000 }, (_, i) => FACT.generated(`k${i}`, { backup: "never" }));
  const desk = new CopiesDesk([FACT.bound("alpha"), ...keys]);
  const heads = (all: boolean): number =>
    section(lines(desk, all), "Keys").filter((line) => line.includes("SPKI")).length;

  test("lists twenty and says how many more there are", () => {
    assert.equal(heads(false), 20);
    const last = section(lines(desk), "Keys").at(-1);
    assert.equal(last, "  and 980 more; keyrite status --all lists them");
  });

  test("lists all of them when asked", () => {
    assert.equal(heads(true), 1000);
  });
});
