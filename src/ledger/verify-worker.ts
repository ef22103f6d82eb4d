/** A thread that verifies parts of a ledger as they are handed to it. Bundled as a program of its own. */

import { parentPort, workerData } from "node:worker_threads";
import { parseVerifierKey } from "../lib/note.ts";
import { openBeside } from "./database.ts";
import type { Range } from "./part-rows.ts";
import { judgePart, type JudgedPart } from "./verify-part.ts";

/** What a thread is told at its start; keys in their text form. */
export interface WorkerStart {
  readonly path: string;
  readonly origin: string;
  readonly key: string | null;
  readonly people: readonly string[];
}

export interface PartOrder extends Range {
  /** Memory of a part that was joined. */
  readonly room: ArrayBuffer | undefined;
}

/** The part, or null when it is not sound. */
export type PartAnswer = JudgedPart | null;

function work(port: NonNullable<typeof parentPort>, start: WorkerStart): void {
  const db = openBeside(start.path);
  const options = {
    origin: start.origin,
    key: start.key === null ? undefined : parseVerifierKey(start.key),
    people: start.people.map(parseVerifierKey),
  };
  port.on("message", (order: PartOrder) => {
    const part = judgePart(db, options, order, order.room);
    if (part === undefined) port.postMessage(null);
    else port.postMessage(part, [part.texts.buffer, part.ends.buffer]);
  });
}

if (parentPort !== null) work(parentPort, workerData as WorkerStart);
