/** What people can get wrong, or try: each refused by name, on record, with nothing lost. */

import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  FOUNDERS,
  initOptions,
  keyrite,
  lastOf,
  messageIn,
  newFolder,
  refused,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

/** Asserts that the refusal stands in the ledger, which is whole, and that the next ceremony runs. */
function recorded(site: RehearsedSite, step: string, code: string, word: string): void {
  const entry = lastOf(site, "step.refused");
  assert.equal(entry.step, step);
  assert.equal(entry.outcome, "refused");
  assert.equal(entry.data["code"], code);
  assert.ok(messageIn(entry).includes(word), messageIn(entry));
  succeeded(site.keyrite(["verify"]));
}

/** Nothing had begun, so the ceremony is over: the next one runs without anybody's help. */
function nextRuns(site: RehearsedSite): void {
  assert.equal(lastOf(site, "ceremony.abandoned").outcome, "refused");
  succeeded(site.rehearse("record-deviation"));
}

describe("Q08: one person trying to be two", () => {
  test("by the medium of another, already in use", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", undefined, [
      "--medium",
      `eve=${site.medium("ana")}`,
    ]);
    refused(ran, "people.same-person", "ana", "eve");
    recorded(site, "roll-call", "people.same-person", "the same medium");
    nextRuns(site);
  });

  test("by a copy of their own medium under another's name", () => {
    const site = siteAt("founded");
    const copy = join(newFolder(), "copy");
    cpSync(site.medium("ana"), copy, { recursive: true });
    const ran = site.rehearse("record-deviation", undefined, ["--medium", `eve=${copy}`]);
    refused(ran, "people.same-person", "the medium given for eve is that of ana");
    recorded(site, "roll-call", "people.same-person", "that of ana");
    nextRuns(site);
  });

  test("by one card under two founders", () => {
    const site = siteAt("made");
    const card = join(site.medium("ana"), "keyrite", "card.json");
    const options = initOptions(site);
    const twice = [...options, "--founder", `${card}=auditor`];
    const place = join(newFolder(), "site");
    refused(keyrite(["init", "--site", place, ...twice]), "people.same-person", "ana");
  });

  test("by enrolling somebody whose medium is that of an enrolled person", () => {
    const site = siteAt("founded");
    const fay = join(newFolder(), "fay");
    cpSync(site.medium("ben"), fay, { recursive: true });
    const ran = site.rehearse("enroll-person", undefined, ["--medium", `fay=${fay}`]);
    refused(ran, "people.same-person", "that of ben, not fay");
    recorded(site, "enroll", "people.same-person", "ben");
  });
});

describe("the roster", () => {
  test("a role that is not held cannot be taken", () => {
    const site = siteAt("founded");
    // Refused where it is typed, and asked again: so it is never fatal and never recorded.
    const ran = site.rehearse("record-deviation", ({ answers }) => {
      answers["roll-call"] = {
        present: {
          ana: ["internal-witness", "auditor", "ceremony-administrator"],
          eve: "internal-witness",
        },
      };
    });
    assert.match(succeeded(ran).stderr, /"internal-witness" is not one of ceremony-administrator/);
    const [roll] = lastOf(site, "ceremony.closed").actors;
    assert.deepEqual([roll?.person, roll?.role], ["ana", "ceremony-administrator"]);
  });

  test("a role that nobody present holds is missed at the roll call", () => {
    const site = siteAt("prepared");
    const ran = site.rehearse("generate-root-ca", ({ answers }) => {
      const present = answers["roll-call"]?.["present"];
      assert.ok(present);
      delete present["cleo"];
    });
    refused(ran, "people.quorum-not-met", "2 × custodian, 1 is present");
    recorded(site, "roll-call", "people.quorum-not-met", "custodian");
    nextRuns(site);
  });

  test("a person outside the roster is never asked, so nobody can answer for them", () => {
    const site = siteAt("founded");
    const size = site.entries().length;
    const ran = site.rehearse("record-deviation", ({ answers }) => {
      answers["roll-call"] = {
        present: { ana: "ceremony-administrator", mallory: "internal-witness" },
      };
    });
    assert.equal(ran.code, 4, ran.stderr);
    assert.doesNotMatch(ran.stderr, /mallory/);
    const written = JSON.stringify(site.entries().slice(size));
    assert.doesNotMatch(written, /mallory/);
    recorded(site, "roll-call", "people.quorum-not-met", "internal-witness");
  });

  test("an identity that was made anew is not the person on the roster", () => {
    const site = siteAt("founded");
    rmSync(join(site.medium("eve"), "keyrite"), { recursive: true });
    succeeded(site.makeIdentity("eve", "Eve again"));
    const ran = site.rehearse("record-deviation");
    refused(ran, "people.authentication-failed", "not the one on the roster");
    recorded(site, "roll-call", "people.authentication-failed", "eve");
  });

  test("S08: a medium that is missing, empty or a file is named with its person", () => {
    const site = siteAt("founded");
    for (const [place, word] of [
      [join(newFolder(), "gone"), "eve"],
      [newFolder(), "eve"],
      [site.file("genesis.json"), "eve"],
    ] as const) {
      const ran = site.rehearse("record-deviation", undefined, ["--medium", `eve=${place}`]);
      refused(ran, "people.medium", word);
      recorded(site, "roll-call", "people.medium", word);
    }
    nextRuns(site);
  });
});

describe("passphrases", () => {
  const wrong = (count: number, last = "no"): string[] => [
    ...Array.from({ length: count }, (_, i) => `wrong drill ${i}`),
    last,
  ];

  test("Q07: wrong, then right: one failure on record, and the step goes on", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", ({ passphrases }) => {
      passphrases["eve"] = wrong(1, "eve drill");
    });
    assert.match(succeeded(ran).stderr, /the passphrase of eve is wrong \(4 attempts left\)/);
    const failed = site.entries().filter(({ type }) => type === "auth.failed");
    assert.deepEqual(
      failed.map(({ step, data }) => [step, data["person"], data["attempt"]]),
      [["roll-call", "eve", 1]],
    );
    succeeded(site.keyrite(["verify"]));
  });

  test("Q07: wrong five times: the step is refused, every attempt recorded", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", ({ passphrases }) => {
      passphrases["eve"] = wrong(5);
    });
    refused(ran, "people.authentication-failed", "eve could not open their identity in 5 attempts");
    const failed = site.entries().filter(({ type }) => type === "auth.failed");
    assert.deepEqual(
      failed.map(({ data }) => data["attempt"]),
      [1, 2, 3, 4, 5],
    );
    assert.doesNotMatch(JSON.stringify(site.entries()), /drill/);
    recorded(site, "roll-call", "people.authentication-failed", "eve");
    nextRuns(site);
  });

  test("Q07: another's passphrase opens nothing: nobody answers for two", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", ({ passphrases }) => {
      passphrases["eve"] = "ana drill";
    });
    refused(ran, "people.authentication-failed", "eve");
    recorded(site, "roll-call", "people.authentication-failed", "eve");
  });

  test("a refused step can be tried again in the same ceremony", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", ({ answers, passphrases }) => {
      passphrases["eve"] = wrong(5, "eve drill");
      answers["roll-call"] = {
        present: {
          ana: ["ceremony-administrator", "ceremony-administrator"],
          eve: ["internal-witness", "internal-witness"],
        },
        again: { room: "again" },
      };
    });
    succeeded(ran);
    assert.equal(lastOf(site, "ceremony.closed").outcome, "success");
    succeeded(site.keyrite(["verify"]));
  });

  test("a passphrase that is missing in the answers is named with its person", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", ({ passphrases }) => {
      delete passphrases["eve"];
    });
    refused(ran, "script.answers", "no passphrase of eve");
  });
});

describe("agreements", () => {
  test("who declines stops the step before it begins", () => {
    for (const person of ["ana", "eve"]) {
      const site = siteAt("founded");
      const ran = site.rehearse("record-deviation", (answers) => {
        const both = ["ana", "eve"];
        answers.agree = { "roll-call": both, clock: both, deviation: both, close: both };
        answers.agree["deviation"] = both.filter((one) => one !== person);
        if (person === "ana") delete answers.agree["deviation"];
        delete answers.agree["close"];
      });
      refused(ran, "people.declined", `${person} declined step deviation`);
      recorded(site, "deviation", "people.declined", person);
      const begun = site.entries().filter((e) => e.type === "step.begun" && e.step === "deviation");
      assert.equal(begun.length, 0);
      stillOpen(site);
    }
  });

  test("who declines at the roll call ends a ceremony in which nothing had begun", () => {
    const site = siteAt("founded");
    const ran = site.rehearse("record-deviation", (answers) => {
      answers.agree = { "roll-call": ["ana"] };
    });
    refused(ran, "people.declined", "eve declined step roll-call");
    recorded(site, "roll-call", "people.declined", "eve");
    nextRuns(site);
  });

  test("who does not cosign the head is on record as a deviation; one alone cannot close", () => {
    const site = siteAt("founded");
    const all = Object.keys(FOUNDERS);
    const both = ["ana", "eve"];
    const ran = site.rehearse("record-deviation", (answers) => {
      answers.agree = { "roll-call": both, clock: both, deviation: both, close: ["eve"] };
    });
    refused(ran, "people.quorum-not-met", "1 of at least 2 people can cosign the head");
    stillOpen(site);
    const made = siteAt("made");
    succeeded(
      made.rehearse("establish-site", (answers) => {
        const roles = { "roll-call": all, clock: both, sheet: [], founding: all };
        answers.agree = { ...roles, close: all.filter((person) => person !== "dan") };
      }),
    );
    const deviation = lastOf(made, "deviation.recorded");
    assert.match(deviation.description, /^dan did not cosign/);
    const verdict = JSON.parse(succeeded(made.keyrite(["verify", "--json"])).stdout) as unknown;
    assert.match(JSON.stringify(verdict), /"cosigned":\d\d/);
  });
});

/** Something had begun, so only two people can end it: any other run is refused until then. */
function stillOpen(site: RehearsedSite): void {
  const ran = site.rehearse("record-deviation");
  refused(ran, "halted.ceremony-open", "is still open", "No step is in doubt", "--abandon");
  assert.match(succeeded(site.keyrite(["status"])).stdout, /record-deviation-\w{4} {2}open/);
}
