import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import {
  checkSignature,
  cosignatureTime,
  formatNote,
  parseNote,
  parseSignatureLine,
  verifyNote,
} from "../../src/lib/note.ts";
import {
  checkAgreement,
  formatAgreement,
  parseAgreement,
  type Agreement,
  type Decision,
} from "../../src/people/agreement.ts";
import { cardKey } from "../../src/people/card.ts";
import { formatBackupText } from "../../src/people/backup-note.ts";
import { makePerson } from "../support/identities.ts";

const ana = await makePerson("ana");
const ben = await makePerson("ben");

const AGREEMENT: Agreement = {
  origin: "pki.example.org/dc1/test",
  ceremony: "20261123-generate-root-ca-a2b3",
  person: "ana",
  role: "ceremony-administrator",
  decision: "agree",
  plan: sha256Hex("plan"),
  step: { n: 6, digest: sha256Hex("step") },
  subject: sha256Hex("subject"),
  policy: sha256Hex("policy"),
  software: sha256Hex("software"),
  opened: { size: 41, root: sha256Hex("root") },
  nonce: sha256Hex("nonce").slice(0, 32),
  expires: "2026-11-23T10:10:00.000Z",
};

const BACKUP_TEXT = formatBackupText({
  origin: "pki.example.org/dc1/test",
  ceremony: "20261124-back-up-ca-keys-a2b3",
  backup: "backup-20261124-k3xq",
  sha256: sha256Hex("backup"),
});
const CHECKPOINT = `pki.example.org/dc1/test\n41\n${Buffer.alloc(32, 7).toString("base64")}\n`;

function sign(text: string, person = ana): string {
  return formatNote(text, [person.opened.signer.signNote(text)]);
}

describe("agreements", () => {
  test("the text is exactly the fourteen lines", () => {
    assert.equal(
      formatAgreement(AGREEMENT),
      `keyrite/agreement/v1
origin pki.example.org/dc1/test
ceremony 20261123-generate-root-ca-a2b3
person ana
role ceremony-administrator
decision agree
plan ${AGREEMENT.plan}
step 6 ${AGREEMENT.step.digest}
subject ${AGREEMENT.subject ?? ""}
policy ${AGREEMENT.policy}
software ${AGREEMENT.software}
opened 41 ${AGREEMENT.opened.root}
nonce ${AGREEMENT.nonce}
expires 2026-11-23T10:10:00.000Z
`,
    );
  });

  const decisions: readonly Decision[] = [
    "agree",
    "decline",
    "finish",
    "undo",
    "abandon",
    "waive copies.offSite",
    "adopt 0",
    "adopt 9007199254740991",
  ];
  for (const decision of decisions) {
    test(`round trip of "${decision}", without a subject`, () => {
      const agreement = { ...AGREEMENT, decision, subject: null };
      assert.deepEqual(parseAgreement(formatAgreement(agreement)), agreement);
    });
  }

  const refused: Readonly<Record<string, Partial<Record<keyof Agreement, unknown>>>> = {
    "an origin with a space": { origin: "pki example" },
    "an origin like a note's first line": { origin: "keyrite/agreement/v1" },
    "an origin like a cosignature": { origin: "cosignature/v1" },
    "a value with a second line": { role: "custodian\ndecision agree" },
    "a ceremony without its date": { ceremony: "generate-root-ca-a2b3" },
    "a person in capitals": { person: "Ana" },
    "an empty role": { role: "" },
    "an unknown decision": { decision: "yes" },
    "a waiver of nothing": { decision: "waive " },
    "a waiver of two rules": { decision: "waive a b" },
    "an adoption of no size": { decision: "adopt" },
    "a size with a leading zero": { decision: "adopt 01" },
    "a size beyond the safe integers": { decision: "adopt 9007199254740992" },
    "a negative size": { decision: "adopt -1" },
    "a plan digest in capitals": { plan: AGREEMENT.plan.toUpperCase() },
    "a short digest": { plan: AGREEMENT.plan.slice(1) },
    "a fractional step": { step: { n: 1.5, digest: AGREEMENT.plan } },
    "an empty subject": { subject: "" },
    "a short nonce": { nonce: AGREEMENT.nonce.slice(1) },
    "a root in base64": { opened: { size: 1, root: "AAAA" } },
    "a time without milliseconds": { expires: "2026-11-23T10:10:00Z" },
    "a time in another zone": { expires: "2026-11-23T10:10:00.000+01:00" },
    "a day that does not exist": { expires: "2026-02-30T10:10:00.000Z" },
  };
  for (const [name, change] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      const agreement = { ...AGREEMENT, ...change } as Agreement;
      assert.throws(() => formatAgreement(agreement), { code: "people.agreement-invalid" });
    });
  }

  const lines = formatAgreement(AGREEMENT).split("\n").slice(0, -1);
  const refusedTexts: Readonly<Record<string, readonly string[]>> = {
    "no text": [],
    "another first line": ["keyrite/agreement/v2", ...lines.slice(1)],
    "a line too many": [...lines, "note all is well"],
    "an empty line at the end": [...lines, ""],
    "a carriage return": lines.map((line) => `${line}\r`),
    "two spaces": lines.map((line) => line.replace("person ana", "person  ana")),
    "a trailing space": lines.map((line) => line.replace("person ana", "person ana ")),
  };
  for (const [name, changed] of Object.entries(refusedTexts)) {
    test(`refuses ${name}`, () => {
      const text = changed.map((line) => `${line}\n`).join("");
      assert.throws(() => parseAgreement(text), { code: "people.agreement-invalid" });
    });
  }

  test("refuses every line left out, repeated or swapped with the next", () => {
    for (let i = 0; i < lines.length; i++) {
      const [line = "", next = ""] = lines.slice(i);
      const variants = [
        lines.toSpliced(i, 1),
        lines.toSpliced(i, 0, line),
        ...(i + 1 < lines.length ? [lines.toSpliced(i, 2, next, line)] : []),
      ];
      for (const variant of variants) {
        assert.throws(() => parseAgreement(`${variant.join("\n")}\n`), {
          code: "people.agreement-invalid",
        });
      }
    }
  });

  test("refuses a text without its last newline", () => {
    assert.throws(() => parseAgreement(lines.join("\n")), { code: "people.agreement-invalid" });
  });
});

describe("signed agreements", () => {
  const text = formatAgreement(AGREEMENT);
  const note = sign(text);

  test("one good signature by the card's key is accepted", () => {
    assert.deepEqual(checkAgreement(note, ana.card), AGREEMENT);
  });

  const others: Readonly<Record<string, string>> = {
    "no note": "agree",
    "a changed decision": note.replace("decision agree", "decision decline"),
    "Q11: a changed nonce": note.replace(/nonce ./, "nonce f"),
    "the signature of somebody else": note.replace(
      /— .*\n$/,
      sign(formatAgreement({ ...AGREEMENT, person: "ben" }), ben).split("\n\n")[1] ?? "",
    ),
    "Q08: a second signature line": `${note}${note.split("\n\n")[1] ?? ""}`,
    "a cosignature in the place of the signature": formatNote(text, [
      ana.opened.signer.cosign(CHECKPOINT, 1_795_000_000),
    ]),
    "a signature with one changed letter": note.replace(
      /(.)=*\n$/,
      (end) => (end.startsWith("A") ? "B" : "A") + end.slice(1),
    ),
  };
  for (const [name, changed] of Object.entries(others)) {
    test(`refuses ${name}`, () => {
      assert.notEqual(changed, note);
      assert.throws(() => checkAgreement(changed, ana.card), { code: "people.agreement-invalid" });
    });
  }

  test("Q08: an agreement of ana is not one of ben", () => {
    assert.throws(() => checkAgreement(note, ben.card), { code: "people.agreement-invalid" });
  });

  test("Q08: nobody signs in another's name", () => {
    const asBen = formatAgreement({ ...AGREEMENT, person: "ben" });
    assert.throws(() => ana.opened.signer.signNote(asBen), {
      code: "people.agreement-invalid",
      message: /speaks for ben/,
    });
  });

  const NO_KIND = /^the key of ana does not sign this: the text is not an agreement, a genesis or/;
  for (const [name, refusedText] of Object.entries({
    "a checkpoint": CHECKPOINT,
    "a cosigned message": `cosignature/v1\ntime 1\n${CHECKPOINT}`,
    "another kind of ours": "keyrite/policy/v1\nallow everything\n",
    nothing: "",
  })) {
    test(`a person's key does not sign ${name}`, () => {
      assert.throws(() => ana.opened.signer.signNote(refusedText), {
        code: "people.agreement-invalid",
        message: NO_KIND,
      });
    });
  }

  for (const [name, refusedText] of Object.entries({
    "an agreement that is no agreement": "keyrite/agreement/v1\nanything\n",
    "a backup statement that is none": `keyrite/backup/v1\nsha256 ${sha256Hex("backup")}\n`,
    "a backup statement that goes on": `${BACKUP_TEXT}paid 1\n`,
    "a backup statement of two backups": BACKUP_TEXT.replace("\nsha256", "\nbackup b\nsha256"),
    "a backup statement of a long name": BACKUP_TEXT.replace(
      /^backup .*$/m,
      `backup ${"b".repeat(33)}`,
    ),
    "a backup statement of a path": BACKUP_TEXT.replace(/^backup .*$/m, "backup ../b"),
    "a backup statement of a name that goes on": BACKUP_TEXT.replace(/^backup .*$/m, "backup b c"),
    "a backup statement of no ceremony": BACKUP_TEXT.replace(/^ceremony .*$/m, "ceremony x"),
  })) {
    test(`a person's key does not sign ${name}`, () => {
      assert.throws(() => ana.opened.signer.signNote(refusedText), {
        code: "people.agreement-invalid",
      });
    });
  }

  test("a backup statement is signed", () => {
    const key = cardKey(ana.card, "ed25519");
    assert.equal(verifyNote(parseNote(sign(BACKUP_TEXT)), [key]).length, 1);
  });
});

describe("cosignatures", () => {
  test("verify with the card's cosigning key and state their time", () => {
    const line = parseSignatureLine(ana.opened.signer.cosign(CHECKPOINT, 1_795_000_000));
    assert.ok(checkSignature(CHECKPOINT, line, cardKey(ana.card, "cosignature")));
    assert.ok(!checkSignature(CHECKPOINT, line, cardKey(ana.card, "ed25519")));
    assert.equal(cosignatureTime(line), 1_795_000_000);
  });

  const root = Buffer.alloc(32, 7).toString("base64");
  const NO_ORIGIN = "the first line of the checkpoint is not the origin of a ledger";
  const NO_SIZE = "the size in the checkpoint is malformed";
  const NO_ROOT = "the root in the checkpoint is malformed";
  for (const [name, [text, why]] of Object.entries<readonly [string, string]>({
    "an agreement": [formatAgreement(AGREEMENT), "a checkpoint has exactly three lines"],
    "an extension line": [`${CHECKPOINT}extension\n`, "a checkpoint has exactly three lines"],
    "no last newline": [CHECKPOINT.slice(0, -1), "a checkpoint has exactly three lines"],
    "an origin like ours": [`keyrite/agreement/v1\n1\n${root}\n`, NO_ORIGIN],
    "an origin like a cosignature": [`cosignature/v1\n1\n${root}\n`, NO_ORIGIN],
    "an empty origin": [`\n1\n${root}\n`, NO_ORIGIN],
    "a size with a leading zero": [`a/b\n01\n${root}\n`, NO_SIZE],
    "a size with a sign": [`a/b\n-1\n${root}\n`, NO_SIZE],
    "a size beyond the safe integers": [`a/b\n9007199254740992\n${root}\n`, NO_SIZE],
    "a short root": ["a/b\n1\nAAAA\n", NO_ROOT],
    "a root in another base64": [`a/b\n1\n${root.replace("=", "")}\n`, NO_ROOT],
  })) {
    test(`are not made over ${name}`, () => {
      assert.throws(() => ana.opened.signer.cosign(text, 1), {
        code: "people.agreement-invalid",
        message: `the key of ana does not sign this: ${why}`,
      });
    });
  }
});
