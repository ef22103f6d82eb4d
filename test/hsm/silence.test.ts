/** H05: a module that says nothing for a while: the room is told what it waits for, once, and when it answers. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { closed, KEY, kept, open, shim, shimBinding } from "../support/hosted-shim.ts";
import { hosted } from "../support/hosted.ts";
import { newFolder } from "../support/rehearsed-site.ts";
import { rule } from "../support/shim.ts";

/** A session whose module hangs at C_GenerateKeyPair, what the room is told, and a clock that can be put forward. */
async function hanging(action: `hang-before${"" | `:${number}`}`, patience = 600) {
  const module = shimBinding({ patience });
  const { hsm: first, info, pin } = await open(module);
  await closed(first);
  const said: string[] = [];
  const mark = join(newFolder(), "mark");
  const variables = shim.with(
    rule("C_GenerateKeyPair", 1, `mark:${mark}`),
    rule("C_GenerateKeyPair", 1, action),
  );
  Object.assign(process.env, variables);
  let later = 0;
  const hsm = kept(
    hosted({
      monotonic: () => performance.now() + later,
      told: (words) => said.push(words),
      look: 20,
    }),
  );
  const session = await hsm.login(module, info.serial, "alpha", Secret.copy(pin));
  const made = session.generateKeyPair({ ...KEY, label: "one", ckaId: "01" });
  made.catch(() => undefined);
  while (!existsSync(mark)) await pause();
  Object.assign(process.env, shim.with());
  return { hsm, session, said, made, putForward: (seconds: number) => (later += seconds * 1000) };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 40));
}

async function saidAt(said: readonly string[], count: number): Promise<void> {
  while (said.length < count) await pause();
}

test("H05: nobody is told of a short silence; of a longer one once, with what is waited for; and of its end", async () => {
  const { hsm, session, said, made, putForward } = await hanging("hang-before:3000");
  putForward(10);
  await pause();
  assert.deepEqual(said, []);
  putForward(10);
  await saidAt(said, 1);
  await made;
  assert.equal(said.length, 2);
  assert.match(
    String(said[0]),
    /^The HSM has been silent for 2\d s: module soft, asked to generate a key pair \(token alpha\)\. .*600 s.*Look at the device.*Ctrl-C twice.*--resume/,
  );
  assert.match(String(said[1]), /^The HSM answers again, after 2\d s \(module soft\)\.$/);
  await session.keys();
  assert.equal(said.length, 2, "that it answers is told once");
  await closed(hsm);
});

test("H05: when patience is over the call is given up by its name, and nobody is told that it answers", async () => {
  const { hsm, said, made, putForward } = await hanging("hang-before");
  putForward(20);
  await saidAt(said, 1);
  putForward(600);
  await assert.rejects(made, (error) => {
    assert.ok(error instanceof KeyriteError && error.code === "hsm.module-ended", String(error));
    assert.match(
      error.message,
      /asked to generate a key pair \(token alpha\), gave no sign of life/,
    );
    return true;
  });
  await closed(hsm);
  assert.equal(said.length, 1);
});

test("H05: with little patience the room is told after half of it", async () => {
  const { hsm, said, made, putForward } = await hanging("hang-before", 10);
  putForward(6);
  await saidAt(said, 1);
  assert.match(said[0] ?? "", /until 10 s are over/);
  putForward(10);
  await assert.rejects(made);
  await closed(hsm);
});

test("H05: the text of a token's label in it cannot act on a terminal", async () => {
  const { inWords } = await import("../../src/hsm/host/call-words.ts");
  assert.equal(inWords("login", "a\u001b[2J"), "to log in (token a\\u{1b}[2J)");
});
