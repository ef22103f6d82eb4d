import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encryptTo, x25519Recipient } from "../../src/lib/age.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { formatNote } from "../../src/lib/note.ts";
import { parseAgreement } from "../../src/people/agreement.ts";
import {
  answerChallenge,
  checkGenesisNote,
  formatGenesisText,
  parseGenesisText,
  sealChallenge,
} from "../../src/people/genesis-note.ts";
import { makePerson, seededRandom } from "../support/identities.ts";

const ana = await makePerson("ana");
const ben = await makePerson("ben");

function sign(text: string): string {
  return formatNote(text, [ana.opened.signer.signNote(text)]);
}

describe("genesis statements", () => {
  const statement = {
    origin: "pki.example.org/dc1/test",
    assurance: "test",
    genesis: sha256Hex("genesis"),
    person: "ana",
    challenge: sha256Hex("challenge"),
  } as const;

  test("round trip, signed", () => {
    const text = formatGenesisText(statement);
    assert.deepEqual(parseGenesisText(text), statement);
    assert.deepEqual(checkGenesisNote(sign(text), ana.card), statement);
  });

  test("are refused when they differ from the signer's card", () => {
    const production = formatGenesisText({ ...statement, assurance: "production" });
    assert.throws(() => checkGenesisNote(sign(production), ana.card), {
      message: /says production, the card of ana test/,
    });
    assert.throws(() => sign(formatGenesisText({ ...statement, person: "ben" })), {
      message: /speaks for ben/,
    });
    assert.throws(() => checkGenesisNote(sign(formatGenesisText(statement)), ben.card));
  });

  for (const [name, change] of Object.entries({
    "an origin like ours": { origin: "keyrite/genesis/v1" },
    "an unknown assurance": { assurance: "high" },
    "a short digest": { genesis: "00" },
    "no challenge": { challenge: "-" },
    "a second line": { person: "ana\nchallenge x" },
  })) {
    test(`are refused with ${name}`, () => {
      const changed = { ...statement, ...change } as typeof statement;
      assert.throws(() => formatGenesisText(changed), { code: "people.agreement-invalid" });
    });
  }

  test("an agreement is no genesis statement, and the other way round", () => {
    assert.throws(() => parseGenesisText(`keyrite/agreement/v1\norigin a/b\n`));
    assert.throws(() => parseAgreement(formatGenesisText(statement)), {
      code: "people.agreement-invalid",
    });
  });

  test("only the recipient can answer a challenge", async () => {
    const { file, digest } = await sealChallenge(ana.card.recipient, seededRandom("challenge"));
    assert.equal(await answerChallenge(ana.opened.opener, file), digest);
    await assert.rejects(answerChallenge(ben.opened.opener, file), {
      code: "people.authentication-failed",
    });
  });

  test("an opener tells nothing about what is not a challenge", async () => {
    const recipient = x25519Recipient(ana.card.recipient);
    const rest = (length: number): string => "r".repeat(length);
    for (const content of [
      "keyrite/share/v1\n",
      "",
      `keyrite/challenge/v1\n${rest(31)}`,
      `keyrite/challenge/v1\n${rest(33)}`,
      // As long as a challenge, and not one.
      `keyrite/challenge/v2\n${rest(32)}`,
      `keyrite/share/v1\n${rest(36)}`,
      `Keyrite/challenge/v1\n${rest(32)}`,
    ]) {
      const file = await encryptTo([recipient], utf8(content));
      await assert.rejects(answerChallenge(ana.opened.opener, file), {
        code: "people.agreement-invalid",
        message: "the genesis statement is refused: the sealed file is not a challenge",
      });
    }
  });
});
