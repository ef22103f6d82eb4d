/**
 * The audit log of a YubiHSM 2 as yubihsm-shell prints it. Each entry bears the first 16 bytes of SHA-256 over
 * its own 16 bytes and the digest of the entry before: a chain, but no signature, so that it shows slips and
 * gaps, not a host that lies about the whole of it.
 */

import { concat, fromHex, hex, sha256 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { DeviceAct, DeviceActKind, DeviceLog, LogEnd } from "./device-log.ts";

interface Entry {
  readonly number: number;
  readonly command: number;
  readonly target: number;
  readonly result: number;
  /** What the device digested. */
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** Command codes of yubihsm.h. A session is created first and authenticated then: that is one login. */
const COMMANDS: ReadonlyMap<number, readonly [DeviceActKind, string]> = new Map([
  [0x00, ["boot", "boot"]],
  [0x03, ["other", "create session"]],
  [0x04, ["login", "authenticate session"]],
  [0x08, ["reset", "reset device"]],
  [0x42, ["other", "put opaque"]],
  [0x44, ["configure", "put authentication key"]],
  [0x45, ["import", "put asymmetric key"]],
  [0x46, ["generate", "generate asymmetric key"]],
  [0x47, ["sign", "sign PKCS#1"]],
  [0x49, ["unwrap", "decrypt PKCS#1"]],
  [0x4a, ["wrap", "export wrapped"]],
  [0x4b, ["unwrap", "import wrapped"]],
  [0x4c, ["import", "put wrap key"]],
  [0x4f, ["configure", "set option"]],
  [0x52, ["import", "put HMAC key"]],
  [0x53, ["sign", "sign HMAC"]],
  [0x55, ["sign", "sign PSS"]],
  [0x56, ["sign", "sign ECDSA"]],
  [0x57, ["foreign", "derive ECDH"]],
  [0x58, ["destroy", "delete object"]],
  [0x59, ["unwrap", "decrypt OAEP"]],
  [0x5a, ["generate", "generate HMAC key"]],
  [0x5b, ["generate", "generate wrap key"]],
  [0x5d, ["foreign", "sign SSH certificate"]],
  [0x64, ["foreign", "sign attestation certificate"]],
  [0x68, ["foreign", "wrap data"]],
  [0x69, ["foreign", "unwrap data"]],
  [0x6a, ["sign", "sign EdDSA"]],
  [0x6c, ["configure", "change authentication key"]],
  [0x6d, ["import", "put symmetric key"]],
  [0x6e, ["generate", "generate symmetric key"]],
  [0x6f, ["foreign", "decrypt ECB"]],
  [0x70, ["foreign", "encrypt ECB"]],
  [0x71, ["foreign", "decrypt CBC"]],
  [0x72, ["foreign", "encrypt CBC"]],
  [0xff, ["other", "log begins"]],
]);

/** Those that touch no key: echo, looks at the device and its objects, sessions, the log itself. */
const HARMLESS: ReadonlySet<number> = new Set([
  ...[
    0x01, 0x05, 0x06, 0x0a, 0x40, 0x41, 0x43, 0x48, 0x4d, 0x4e, 0x50, 0x51, 0x54, 0x5c, 0x67, 0x6b,
  ],
]);

const NO_OBJECT = 0xffff;
const SUCCESS = 0x80;
const MOST_ENTRIES = 100_000;
const LINE =
  /^item: +(\d{1,5}) -- cmd: 0x([0-9a-f]{2}) -- length: +(\d{1,5}) -- session key: 0x([0-9a-f]{4}) -- target key: 0x([0-9a-f]{4}) -- second key: 0x([0-9a-f]{4}) -- result: 0x([0-9a-f]{2}) -- tick: (\d{1,10}) -- hash: ([0-9a-f]{32})$/;
const UNLOGGED = /^(\d{1,5}) unlogged (boots|authentications) found$/;

/**
 * Reads what one or several `audit get` printed, one after the other; other lines of the shell are passed over.
 * @param before end of the log before: entries up to it are passed over, and the next must be chained to it.
 * @throws KeyriteError usage.bad-file for a line that begins like an entry and is none, or no entry at all
 */
export function readYubihsmLog(text: string, before?: LogEnd): DeviceLog {
  const entries = new Map<number, Entry>();
  const problems: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    const unlogged = UNLOGGED.exec(line);
    if (unlogged !== null && unlogged[1] !== "0") {
      problems.push(
        `the device did not log ${unlogged[1] ?? ""} ${unlogged[2] ?? ""}: its log was full`,
      );
    }
    if (!line.startsWith("item:")) continue;
    const entry = parseLine(line, index + 1);
    const known = entries.get(entry.number);
    if (known !== undefined && known.digest !== entry.digest) {
      problems.push(`item ${entry.number} stands in the log twice, with different contents`);
    }
    entries.set(entry.number, entry);
    if (entries.size > MOST_ENTRIES) throw bad(`it has more than ${MOST_ENTRIES} items`);
  }
  const all = [...entries.values()];
  const last = all.at(-1);
  if (last === undefined) throw bad("it holds no item of a YubiHSM audit log");
  const fresh = all.slice(1 + all.findIndex((entry) => isEnd(entry, before)));
  return {
    acts: fresh.map(actOf),
    end: { item: last.number, digest: last.digest },
    problems: [...problems, ...chainProblems(fresh, before)],
  };
}

function isEnd({ number, digest }: Entry, end: LogEnd | undefined): boolean {
  return number === end?.item && digest === end.digest;
}

function parseLine(line: string, number: number): Entry {
  const [, item, command, length, session, target, second, result, tick, digest = ""] =
    LINE.exec(line) ?? [];
  if (digest === "") throw bad(`line ${number} begins like an item and is none`);
  const parts: readonly (readonly [string | undefined, 10 | 16, 1 | 2 | 4])[] = [
    [item, 10, 2],
    [command, 16, 1],
    [length, 10, 2],
    [session, 16, 2],
    [target, 16, 2],
    [second, 16, 2],
    [result, 16, 1],
    [tick, 10, 4],
  ];
  const fields = parts.map(([text, base, width]) => field(text, base, width, number));
  return {
    number: Number(item),
    command: Number.parseInt(command ?? "", 16),
    target: Number.parseInt(target ?? "", 16),
    result: Number.parseInt(result ?? "", 16),
    bytes: concat(...fields),
    digest,
  };
}

/** A number in big-endian bytes, as the device packs it. */
function field(text = "", base: 10 | 16, width: 1 | 2 | 4, line: number): Uint8Array {
  const value = Number.parseInt(text, base);
  const digits = value.toString(16).padStart(width * 2, "0");
  const bytes = digits.length === width * 2 ? fromHex(digits) : undefined;
  if (bytes === undefined) throw bad(`line ${line} holds a number that is too large`);
  return bytes;
}

/** What nothing stands before, here or in the log before, is believed. */
function chainProblems(entries: readonly Entry[], end: LogEnd | undefined): readonly string[] {
  const problems: string[] = [];
  let before = end;
  for (const { number, bytes, digest } of entries) {
    const last = before;
    before = { item: number, digest };
    if (last === undefined) continue;
    if (number !== (last.item + 1) % 0x1_0000) {
      problems.push(`after item ${last.item} comes item ${number}: some are missing`);
      continue;
    }
    const expected = hex(sha256(bytes, fromHex(last.digest) ?? new Uint8Array()));
    if (expected.slice(0, 32) !== digest) {
      problems.push(`item ${number} does not follow from the one before: one was altered`);
    }
  }
  return problems;
}

function actOf({ number, command, target, result }: Entry): DeviceAct {
  const code = `0x${command.toString(16).padStart(2, "0")}`;
  const unnamed = HARMLESS.has(command) ? "other" : "foreign";
  const [kind, name] = COMMANDS.get(command) ?? [unnamed, `command ${code}`];
  const plain = command === 0x00 || command === 0xff;
  return {
    item: number,
    kind,
    command: name,
    object: plain || target === NO_OBJECT ? null : `0x${target.toString(16).padStart(4, "0")}`,
    ok: plain || result === (command | SUCCESS),
  };
}

function bad(problem: string): KeyriteError {
  return new KeyriteError("usage.bad-file", `the device log is refused: ${problem}`, {
    hints: ["give what yubihsm-shell printed for `audit get`, whole and unchanged"],
  });
}
