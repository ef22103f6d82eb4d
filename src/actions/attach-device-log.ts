/**
 * Puts a device's own audit log beside the record: reads it, judges its chain, and compares it with what the
 * call journals of the ledger say. A mismatch is recorded and stops nothing: it is what the log is read for.
 */

import { defineAction, type Room, type Subject } from "../ceremony/action.ts";
import { tokenIsBound } from "../ceremony/conditions.ts";
import { deviationOf } from "../ceremony/device-logs.ts";
import { countActs, matchDevice, type DeviceMatch } from "../ceremony/device-match.ts";
import type { FactOf } from "../ceremony/facts.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { digest, label } from "../ceremony/words.ts";
import {
  DEVICE_LOG_FORMATS,
  readDeviceLog,
  type DeviceLog,
  type DeviceLogFormat,
} from "../hsm/device-log.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { canonicalJson, type Json, type JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { matchLines, objectNames, problemLines } from "./lib/device-log-lines.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () =>
  z.strictObject({
    token: label,
    format: z.enum(DEVICE_LOG_FORMATS),
    log: digest,
    /** Object of the key that the log is read with, or `none`. */
    reader: z.string().regex(/^(none|0x[0-9a-f]{4})$/, 'must look like "0x0001", or be "none"'),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Judged extends JsonObject {
  readonly serial: string;
  readonly first: number;
  readonly last: number;
  readonly lastDigest: string;
  /** How many things are wrong with the log, and the first hundred of them in a sentence each. */
  readonly problems: number;
  readonly said: readonly string[];
  readonly acts: readonly (JsonObject & FactOf<"device-log.attached">["acts"][number])[];
  readonly table: readonly Json[];
  readonly unexplained: number;
  readonly missing: number;
}

const MOST_PROBLEMS = 100;

export const attachDeviceLog = defineAction<Params, Judged, Judged>({
  name: "attach-device-log",
  control: "dual",
  params,
  facts: ["device-log.attached"],
  instruction: (p) =>
    `Attach the audit log of the device behind token ${p.token} and compare it with the ledger.`,
  requires: (p) => [tokenIsBound(p.token)],
  examine: (p, _, documents) => {
    const bytes = documents.attachment(p.log);
    const problem = bytes === undefined ? undefined : unreadable(p.format, bytes);
    return Promise.resolve(problem === undefined ? [] : [{ param: "log", text: problem }]);
  },
  forecast: (p, custody) => ({
    serial: custody.tokens.get(p.token)?.serial ?? "",
    ...{ first: 0, last: 0, lastDigest: "0".repeat(32), problems: 0, said: [] },
    ...{ acts: [], table: [], unexplained: 0, missing: 0 },
  }),
  establishes: (p, evidence) => [factOf(p, evidence)],
  admits: (p, subject, fact) => canonicalJson(fact) === canonicalJson(factOf(p, subject)),
  subject: (p, room) => Promise.resolve(judged(p, room)),
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("Attaching a log changes nothing but the ledger."),
});

function factOf(p: Params, judged: Judged): FactOf<"device-log.attached"> {
  const { first, last, lastDigest, acts, unexplained, missing, problems } = judged;
  return {
    kind: "device-log.attached",
    ...{ token: p.token, sha256: p.log, format: p.format, first, last, lastDigest },
    acts: acts.map(({ act, done, failed }) => ({ act, done, failed })),
    ...{ unexplained, missing, problems },
  };
}

function judged(p: Params, room: Room): Subject<Judged> {
  const token = room.custody.tokens.get(p.token);
  const bytes = room.attachment(p.log);
  if (token === undefined || bytes === undefined) {
    throw new KeyriteError("script.refused", `token ${p.token} or its log is not here`);
  }
  const before = room.custody.deviceLogs.get(p.token);
  const end = before && { item: before.last, digest: before.lastDigest };
  const log = readDeviceLog(p.format, textOf(bytes), end);
  const first = log.acts[0]?.item;
  if (first === undefined) {
    throw new KeyriteError(
      "usage.refused",
      `the log of token ${p.token} holds nothing after item ${before?.last ?? 0}, which is recorded already`,
      { hints: ["read the log off the device anew"] },
    );
  }
  const reader = p.reader === "none" ? undefined : p.reader;
  const match = matchDevice(log.acts, room.ledgerActs(token.serial), reader);
  const data: Judged = {
    ...{ serial: token.serial, first, last: log.end.item, lastDigest: log.end.digest },
    problems: log.problems.length,
    said: log.problems.slice(0, MOST_PROBLEMS),
    acts: actsOf(log, reader),
    table: match.rows.map(({ kind, device, ledger, unexplained, missing }): Json => [
      ...[kind, device.done, device.failed, ledger.done, ledger.failed],
      ...[unexplained, missing],
    ]),
    ...{ unexplained: match.unexplained, missing: match.missing },
  };
  return { data, shown: shown(p, room, log, data, match) };
}

/** Without the logins of the reader: those are not awaited by the ledger either. */
function actsOf({ acts }: DeviceLog, reader: string | undefined): Judged["acts"] {
  const compared = acts.filter(({ kind, object }) => kind !== "login" || object !== reader);
  return [...countActs(compared)].map(([act, { done, failed }]) => ({ act, done, failed }));
}

function shown(
  p: Params,
  room: Room,
  log: DeviceLog,
  data: Judged,
  match: DeviceMatch,
): readonly string[] {
  const before = room.custody.deviceLogs.get(p.token);
  const sound = data.unexplained + data.missing + data.problems === 0;
  return [
    `Log of the device behind token ${p.token} (serial ${data.serial}), format ${p.format}: ${log.acts.length} acts, items ${data.first} to ${data.last}.`,
    before === undefined
      ? "It is the first log of this token: what lies before it is not compared."
      : `The log before it ended at item ${before.last}.`,
    ...digestLines("SHA-256 of the file", p.log),
    ...problemLines(log.problems),
    ...matchLines(match, log.acts, objectNames(room.custody, p.token)),
    sound
      ? "The log and the ledger tell the same."
      : `WARNING: ${data.unexplained} acts are not explained by the ledger, ${data.missing} of the ledger are not in the log, ${data.problems} problems. That is recorded; look into it, and record a deviation from the rule "${deviationOf(p.token)}" when it is explained.`,
  ];
}

function unreadable(format: DeviceLogFormat, bytes: Uint8Array): string | undefined {
  try {
    readDeviceLog(format, textOf(bytes));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

// Devices print ASCII; whatever else stands in the file is passed over or refused line by line.
function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
