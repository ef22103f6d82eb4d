/** The terminal console at a real terminal: typed answers, mistakes and keys. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import {
  BACKSPACE,
  CTRL_D,
  CTRL_U,
  ESC,
  SECRET,
  moment,
  outcome,
  session,
} from "../support/console-driver.ts";

test("Q14: agreement is the whole word yes; anything else is asked again", async () => {
  const pty = await session(["agree", "agree"], async (pty) => {
    for (const typed of ["y", "Yes", "YES", "yes!", "yesno", "", "1", "true", "nein"]) {
      await pty.answer("(yes or no):", typed);
      await pty.expect("please answer again");
    }
    await pty.answer("(yes or no):", "yes");
    await outcome(pty, "[agree: true]");
    await pty.answer("(yes or no):", "n");
    await pty.answer("(yes or no):", "no");
    await outcome(pty, "[agree: false]");
    await pty.expect("[waited: some time]");
    assert.equal((await pty.end()).exit, 0);
  });
  assert.match(pty.text, /Ana Alvarez \(ana\), do you agree \(yes or no\): nein\n/);
});

test("a choice is a number of the list or its word; others are asked again", async () => {
  await session(["choose", "choose"], async (pty) => {
    await pty.expect("  1  custodian, keeps a share\n  2  internal witness\n");
    for (const typed of ["0", "3", "-1", "1.0", "01", "", "witness", "1 2"]) {
      await pty.answer("number, 1 to 2:", typed);
      await pty.expect("please answer again");
    }
    await pty.answer("number, 1 to 2:", "2");
    await outcome(pty, "[choose: internal-witness]");
    await pty.answer("number, 1 to 2:", "custodian");
    await outcome(pty, "[choose: custodian]");
  });
});

test("a wrong answer stays on the screen with what is wrong, and is asked again", async () => {
  const pty = await session(["ask", "preset", "long"], async (pty) => {
    await pty.answer("camera:", "");
    await pty.expect("nothing was typed");
    await pty.answer("camera:", "17");
    await pty.expect("a camera is named CAM-…: please answer again");
    await pty.answer("camera:", "CAM\ufffd");
    await pty.expect("U+FFFD");
    await pty.answer("camera:", `x${CTRL_U}CAM-18${BACKSPACE}7 e\u0301  `);
    await outcome(pty, "[ask: CAM-17 é]");
    await pty.answer("(Enter for vault):", BACKSPACE);
    await outcome(pty, "[preset: vault]");
    await pty.answer("your answer:", `left${ESC}[D${ESC}[D\tright`);
    await outcome(pty, "[long: leftright]");
  });
  assert.match(pty.text, /number of the camera: 17\n {2}a camera is named CAM-…/);
  const widest = Math.max(...pty.text.split("\n").map((line) => line.length));
  assert.ok(widest <= 100, `a line has ${widest} characters`);
});

test("S02: a passphrase is edited blindly, and nothing of it is shown", async () => {
  const long = "correct horse battery staple ".repeat(35);
  const typed: readonly (readonly [string, string])[] = [
    ["grün drill", "grün drill"],
    [`anna${BACKSPACE}${BACKSPACE}a drillé${BACKSPACE}`, "ana drill"],
    [`wrong${CTRL_U}${BACKSPACE}right`, "right"],
    [`${ESC}[200~pasted words${ESC}[201~`, "pasted words"],
    [long, long],
    ["e\u0301", "e\u0301"],
    [" spaces stay ", " spaces stay "],
  ];
  const pty = await session(
    typed.map(() => "identity"),
    async (pty) => {
      for (const [keys, passphrase] of typed) {
        await pty.answer(SECRET, keys);
        await outcome(pty, `[identity: ${sha256Hex(passphrase)}]`);
      }
      assert.equal((await pty.end()).exit, 0);
    },
  );
  const asked = pty.text.replaceAll(/\[identity: [0-9a-f]{64}\]/g, "");
  assert.deepEqual(
    new Set(asked.split("\n")),
    new Set(["Ana Alvarez (ana), your passphrase (not shown): ", "[waited: some time]", ""]),
  );
});

test("what can be no passphrase is asked again, and none of it counts", async () => {
  const refused: readonly (readonly [string | Uint8Array, string])[] = [
    ["", "nothing was typed"],
    [`x${BACKSPACE}`, "nothing was typed"],
    ["tab\tbed", "no character"],
    [`arrow${ESC}[D`, "no character"],
    [`${ESC}[202~`, "no character"],
    [ESC, "no character"],
    [`x${CTRL_D}`, "no character"],
    ["nul\0", "no character"],
    ["c1\u009b", "no character"],
    ["a".repeat(1025), "at most 1024 bytes"],
    [Uint8Array.of(0x61, 0xff), "not UTF-8"],
    [Uint8Array.of(0xc3), "not UTF-8"],
  ];
  await session(["identity"], async (pty) => {
    for (const [keys, problem] of refused) {
      await pty.expect(SECRET);
      pty.send(Buffer.concat([Buffer.from(keys), Buffer.from("\r")]));
      await pty.expect(problem);
      await pty.expect("please answer again");
    }
    await pty.answer(SECRET, "sound");
    await outcome(pty, `[identity: ${sha256Hex("sound")}]`);
  });
});

test("a new passphrase is typed twice, and asked again when the two differ", async () => {
  await session(["new"], async (pty) => {
    await pty.answer(SECRET, "ana drill");
    await pty.answer("(again, not shown): ", "ana dril");
    await pty.expect("the two passphrases differ: please answer again");
    await pty.answer(SECRET, "ana drill");
    await pty.answer("(again, not shown): ", "ana drill");
    await outcome(pty, `[new: ${sha256Hex("ana drill")}]`);
  });
});

test("S02: the terminal record holds what was asked and answered, and neither a passphrase nor a refused answer", async () => {
  const pty = await session(
    ["warn", "ask", "agree", "identity", "new", "transcript"],
    async (pty) => {
      await outcome(pty, "[warn: warned]");
      await pty.answer("camera:", "ana drill");
      await pty.expect("please answer again");
      await pty.answer("camera:", "CAM-17");
      await outcome(pty, "[ask: CAM-17]");
      await pty.answer("(yes or no):", "ana drill");
      await pty.expect("please answer again");
      await pty.answer("(yes or no):", "yes");
      await outcome(pty, "[agree: true]");
      await pty.answer(SECRET, "ana drill");
      await outcome(pty, `[identity: ${sha256Hex("ana drill")}]`);
      await pty.answer(SECRET, "ana drill");
      await pty.answer("(again, not shown): ", "ana drill");
      await outcome(pty, `[new: ${sha256Hex("ana drill")}]`);
      await pty.expect("[transcript: ");
      // The end of the list and of the line: a bracket stands within the record as well.
      await outcome(pty, '"]]');
    },
  );
  const lines = JSON.parse(
    /\[transcript: (.*)\]/s.exec(pty.text)?.[1]?.replaceAll("\n", " ") ?? "[]",
  ) as readonly string[];
  const record = lines.join("\n");
  assert.doesNotMatch(record, /drill/);
  assert.match(record, /number of the camera: \[typed, not kept\]\n {2}a camera is named CAM-…/);
  assert.match(record, /number of the camera: CAM-17/);
  assert.match(record, /do you agree \(yes or no\): yes/);
  assert.match(record, /your passphrase \(not shown\): \[typed, not kept\]/);
  assert.match(record, /^WARNING: mind the \\u\{1b\}\[31mgap$/m, "no style, nothing that acts");
});

test("type-ahead is no answer, and no newline of it reaches another prompt", async () => {
  const pty = await session(["warn", "agree", "identity", "agree", "preset"], async (pty) => {
    await pty.expect("[warn: warned]");
    pty.send("yes\r");
    await moment();
    pty.kill("USR2");
    await pty.expect("(yes or no):");
    await moment();
    pty.send("no\r");
    await outcome(pty, "[agree: false]");
    await pty.expect(SECRET);
    pty.send("hidden words\r\r\nyes\rnext secret\r");
    await outcome(pty, `[identity: ${sha256Hex("hidden words")}]`);
    await pty.expect("(yes or no):");
    await moment();
    pty.send("no\rother\r");
    await outcome(pty, "[agree: false]");
    await pty.answer("(Enter for vault):", "cellar");
    await outcome(pty, "[preset: cellar]");
  });
  assert.doesNotMatch(pty.text, /hidden words|next secret/);
});

test("I04, I06: NO_COLOR and TERM=dumb leave plain lines; a colour never comes from the text", async () => {
  const styled = new RegExp(`${ESC}\\[\\d+m`);
  const cases: readonly (readonly [NodeJS.ProcessEnv, boolean])[] = [
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ TERM: "dumb" }, false],
  ];
  for (const [env, coloured] of cases) {
    const pty = await session(
      ["warn", "agree"],
      async (pty) => {
        await outcome(pty, "[warn: warned]");
        await pty.answer("(yes or no):", "yes");
        await outcome(pty, "[agree: true]");
      },
      env,
    );
    const written = pty.bytes.toString("utf8");
    assert.equal(styled.test(written), coloured, JSON.stringify(env));
    assert.ok(!written.includes(`${ESC}[31m`), "the text's own escape is shown, not obeyed");
    assert.match(pty.text, /WARNING: mind the \\u\{1b\}\[31mgap/);
  }
});

test("progress at a terminal is lines that grow and are never erased", async () => {
  const pty = await session(["work"], async (pty) => {
    await outcome(pty, "[work: worked]");
  });
  assert.match(pty.text, /^working \[#####\.{5}\] 1 of 2/m);
  assert.match(pty.text, /^working \. 1\.\d s$/m);
  assert.doesNotMatch(pty.bytes.toString("utf8"), new RegExp(`${ESC}\\[\\d*K|\r(?!\n)`));
});
