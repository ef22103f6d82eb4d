/** A device's own log: its chain is judged, its acts are named, and what is no log is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readDeviceLog } from "../../src/hsm/device-log.ts";
import { concat, fromHex, hex, sha256 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";

/** From a real device: its first three items after a reset and one option set. */
const REAL = `Session keepalive set up to run every 15 seconds
Created session 0
0 unlogged boots found
0 unlogged authentications found
Found 3 items
item:     1 -- cmd: 0xff -- length: 65535 -- session key: 0xffff -- target key: 0xffff -- second key: 0xffff -- result: 0xff -- tick: 4294967295 -- hash: 33012657537e4842f57fa6ed3b09b25b
item:     2 -- cmd: 0x00 -- length:    0 -- session key: 0xffff -- target key: 0x0000 -- second key: 0x0000 -- result: 0x00 -- tick: 0 -- hash: fc153091560e18bca82621522c85bdba
item:     3 -- cmd: 0x4f -- length:    5 -- session key: 0x0001 -- target key: 0xffff -- second key: 0xffff -- result: 0xcf -- tick: 1987 -- hash: 3d9380a76ae41826d90daa44c1085a62
`;

/** One more item in the chain, as the device would write it. */
function next(log: string, command: number, target: number, result = command | 0x80): string {
  const last = log.trimEnd().split("\n").at(-1) ?? "";
  const number = Number(/item: +(\d+)/.exec(last)?.[1]) + 1;
  const before = /hash: (\w+)/.exec(last)?.[1] ?? "";
  const hexOf = (value: number, width: number): string => value.toString(16).padStart(width, "0");
  const bytes = `${hexOf(number, 4)}${hexOf(command, 2)}00050001${hexOf(target, 4)}ffff${hexOf(result, 2)}000007d0`;
  const digest = hex(
    sha256(concat(fromHex(bytes) ?? assert.fail(), fromHex(before) ?? assert.fail())),
  );
  const line = `item: ${String(number).padStart(5)} -- cmd: 0x${hexOf(command, 2)} -- length:    5 -- session key: 0x0001 -- target key: 0x${hexOf(target, 4)} -- second key: 0xffff -- result: 0x${hexOf(result, 2)} -- tick: 2000 -- hash: ${digest.slice(0, 32)}`;
  return `${log}${line}\n`;
}

test("a real log is read, and its chain holds", () => {
  const { acts, problems } = readDeviceLog("yubihsm", REAL);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    acts.map(({ item, kind, ok, object }) => [item, kind, ok, object]),
    [
      [1, "other", true, null],
      [2, "boot", true, null],
      [3, "configure", true, null],
    ],
  );
});

test("acts on keys are named, with the object, and whether they succeeded", () => {
  const log = next(next(next(REAL, 0x46, 0x0064), 0x56, 0x0064), 0x58, 0x0064, 0x0b);
  const { acts, problems } = readDeviceLog("yubihsm", log);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    acts.slice(3).map(({ kind, command, object, ok }) => [kind, command, object, ok]),
    [
      ["generate", "generate asymmetric key", "0x0064", true],
      ["sign", "sign ECDSA", "0x0064", true],
      ["destroy", "delete object", "0x0064", false],
    ],
  );
});

test("C14: an altered, a missing, a repeated item and one that was never logged are each found", () => {
  const log = next(next(REAL, 0x46, 0x64), 0x56, 0x64);
  const found = (text: string): string => readDeviceLog("yubihsm", text).problems.join("\n");
  assert.match(
    found(log.replace("target key: 0x0064", "target key: 0x0065")),
    /item 4 does not follow/,
  );
  const lines = log.split("\n");
  const without = lines.filter((line) => !line.includes("item:     4")).join("\n");
  assert.match(found(without), /after item 3 comes item 5: some are missing/);
  const twice = `${log}${(lines[8] ?? "").replace("tick: 2000", "tick: 2001").replace(/hash: ../, "hash: 00")}\n`;
  assert.match(found(twice), /item 4 stands in the log twice/);
  assert.match(
    found(log.replace("0 unlogged auth", "3 unlogged auth")),
    /did not log 3 authentications/,
  );
  assert.equal(found(`${log}${log}`), "", "the same read twice is one log");
});

test("what is no log, or a line that is cut, is refused by its number", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /holds no item/],
    ["hello\nworld\n", /holds no item/],
    [REAL.replace("-- hash: fc153091560e18bca82621522c85bdba", ""), /line 7 begins like an item/],
    [REAL.replace("tick: 1987", "tick: 9999999999"), /line 8 holds a number that is too large/],
    [REAL.replace("item:     3", "item:     x"), /line 8 begins like an item/],
  ];
  for (const [text, says] of cases) {
    assert.throws(
      () => readDeviceLog("yubihsm", text),
      (error) =>
        error instanceof KeyriteError &&
        error.code === "usage.bad-file" &&
        says.test(error.message),
    );
  }
});

test("a command that is not known is no harmless one", () => {
  const log = [0x48, 0x4d, 0x03, 0x04, 0x57, 0x7a].reduce(
    (text, code) => next(text, code, 0x01),
    REAL,
  );
  assert.deepEqual(
    readDeviceLog("yubihsm", log)
      .acts.slice(3)
      .map(({ kind, command }) => [kind, command]),
    [
      ["other", "command 0x48"],
      ["other", "command 0x4d"],
      ["other", "create session"],
      ["login", "authenticate session"],
      ["foreign", "derive ECDH"],
      ["foreign", "command 0x7a"],
    ],
  );
});

test("C14: a later log goes on from the end of the one before, or says that it does not", () => {
  const earlier = next(REAL, 0x46, 0x64);
  const later = next(earlier, 0x56, 0x64);
  const { end } = readDeviceLog("yubihsm", earlier);
  assert.equal(end.item, 4);
  const whole = readDeviceLog("yubihsm", later, end);
  const only = later.split("\n").filter((line) => line.startsWith("item:     5"));
  const rest = readDeviceLog("yubihsm", only.join("\n"), end);
  for (const { acts, problems } of [whole, rest]) {
    assert.deepEqual([acts.map(({ item }) => item), problems], [[5], []]);
  }
  assert.deepEqual(readDeviceLog("yubihsm", earlier, end).acts, [], "nothing new");
  const problems = (item: number, digest: string): string =>
    readDeviceLog("yubihsm", only.join("\n"), { item, digest }).problems.join();
  assert.match(problems(3, end.digest), /after item 3 comes item 5: some are missing/);
  assert.match(problems(4, "00".repeat(16)), /item 5 does not follow from the one before/);
  // Rewritten before its end: what was attached then is not what it says now.
  const other = next(next(REAL, 0x4a, 0x64), 0x56, 0x64);
  assert.notDeepEqual(readDeviceLog("yubihsm", other, end).problems, []);
});
