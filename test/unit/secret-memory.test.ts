/** What is left of secrets in the memory of a process that made, used and wiped them. */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { memoryHits } from "../support/memory.ts";
import { program } from "../support/program.ts";

interface Scan {
  readonly holding: readonly number[];
  readonly wiped: readonly number[];
}

/** Looks for passphrase, PIN, the share and its hex while the child holds them and after it wiped them. */
async function scan(): Promise<Scan> {
  const passphrase = Buffer.from(`passphrase ${randomBytes(12).toString("hex")}`);
  const pin = Buffer.from(randomBytes(12).toString("hex"));
  const child = spawn(process.execPath, program("secret-child"), {
    stdio: ["pipe", "pipe", "inherit", "pipe", "pipe"],
  });
  const failure = new AbortController();
  child.once("exit", () => {
    failure.abort(new Error("the child ended early"));
  });
  const [, , , secrets, shares] = child.stdio as [unknown, unknown, unknown, Writable, Readable];
  secrets.end(Buffer.concat([Buffer.of(passphrase.length), passphrase, pin]));
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout });
  const { signal } = failure;
  assert.deepEqual(await once(lines, "line", { signal }), ["holding"]);
  const share = (shares.read() ?? (await once(shares, "data", { signal }))[0]) as Buffer;
  assert.equal(share.length, 33);
  const needles = [passphrase, pin, share, Buffer.from(share.toString("hex"))];
  const holding = memoryHits(pidOf(child), needles);
  const next = once(lines, "line", { signal });
  child.stdin?.write("go on\n");
  assert.deepEqual(await next, ["wiped"]);
  const wiped = memoryHits(pidOf(child), needles);
  child.stdin?.end("end\n");
  return { holding, wiped };
}

function pidOf({ pid }: ChildProcess): number {
  return pid ?? assert.fail("the child has no process id");
}

test("S03: nothing of passphrase, PIN and share is in memory once they are wiped", async () => {
  const { holding, wiped } = await scan();
  const [passphrase = 0, pin = 0, share = 0] = holding;
  assert.ok(passphrase > 0 && pin > 0 && share > 0, "the search finds what is there");
  assert.deepEqual(wiped, [0, 0, 0, 0]);
});
