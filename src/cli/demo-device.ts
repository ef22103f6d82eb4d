/**
 * A device's log for the demo and for rehearsals: software tokens keep none, so one is written that tells what the
 * ledger tells of the token, chained as a YubiHSM 2 chains its own.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeviceActKind } from "../hsm/device-log.ts";
import { concat, fromHex, hex, sha256, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { openSite } from "./site.ts";

/** Target, an object that each command is about. */
const KEY = 0x0064;
const AUTHENTICATION_KEY = 0x0001;
const NOTHING = 0xffff;

const COMMANDS: Readonly<Partial<Record<DeviceActKind, readonly number[]>>> = {
  login: [0x03, 0x04],
  generate: [0x46],
  sign: [0x56],
  wrap: [0x4a],
  unwrap: [0x4b],
  destroy: [0x58],
};

/**
 * Writes the log into `folder` and returns its path.
 * @throws KeyriteError usage.refused for a token that the site does not have
 */
export function playDeviceLog(site: string, token: string, folder: string): string {
  const { ledger, history } = openSite(site, { write: false });
  ledger.close();
  const serial = history.custody.tokens.get(token)?.serial;
  if (serial === undefined) throw new KeyriteError("usage.refused", `there is no token ${token}`);
  const commands = [...history.acts.of(serial)].flatMap(([kind, { done }]) =>
    Array.from({ length: done }, () => COMMANDS[kind] ?? []).flat(),
  );
  const path = join(folder, `${token}.log`);
  writeFileSync(path, deviceLogOf(commands));
  return path;
}

/** A log that begins with a reset and a boot and goes on with these commands, each of them successful. */
export function deviceLogOf(commands: readonly number[]): string {
  let before = hex(sha256(utf8("a device of the demo"))).slice(0, 32);
  const lines = [line([1, 0xff, NOTHING, NOTHING, 0xff, 0xffffffff], before)];
  const add = (command: number, target: number, result: number): void => {
    const fields = [lines.length + 1, command, 0, target, result, lines.length] as const;
    before = hex(sha256(packed(fields), fromHex(before) ?? new Uint8Array())).slice(0, 32);
    lines.push(line(fields, before));
  };
  add(0x00, 0x0000, 0x00);
  for (const command of commands) {
    const target = command <= 0x04 ? AUTHENTICATION_KEY : KEY;
    add(command, target, command | 0x80);
  }
  const none = ["0 unlogged boots found", "0 unlogged authentications found"];
  return [...none, `Found ${lines.length} items`, ...lines, ""].join("\n");
}

/** Item, command, length of its data, target, result, tick; session and second key are always none. */
type Fields = readonly [
  item: number,
  command: number,
  length: number,
  target: number,
  result: number,
  tick: number,
];

const word = (value: number, bytes: number): string => value.toString(16).padStart(bytes * 2, "0");

function packed([item, command, length, target, result, tick]: Fields): Uint8Array {
  const text = [
    ...[word(item, 2), word(command, 1), word(length, 2), word(NOTHING, 2), word(target, 2)],
    ...[word(NOTHING, 2), word(result, 1), word(tick, 4)],
  ].join("");
  return concat(fromHex(text) ?? new Uint8Array());
}

function line([item, command, length, target, result, tick]: Fields, digest: string): string {
  return [
    `item: ${String(item).padStart(5)}`,
    `cmd: 0x${word(command, 1)}`,
    `length: ${String(length).padStart(4)}`,
    `session key: 0x${word(NOTHING, 2)}`,
    `target key: 0x${word(target, 2)}`,
    `second key: 0x${word(NOTHING, 2)}`,
    `result: 0x${word(result, 1)}`,
    `tick: ${tick}`,
    `hash: ${digest}`,
  ].join(" -- ");
}
