/**
 * Terminal records on disk: `transcripts/<ceremony>.txt` in the site's folder grows while the ceremony goes
 * on, so that an interrupted one leaves what was on the screen. What counts is the copy in the ledger.
 */

import { closeSync, constants, lstatSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { TerminalRecord } from "../ceremony/hall.ts";
import type { Transcript } from "../console/transcript.ts";
import { fromUtf8 } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";
import { createFile, makeFolder, readIfPresent } from "../lib/files.ts";
import { tellLine } from "./output.ts";

const LONGEST = 16 << 20;
const { O_APPEND, O_NOFOLLOW, O_WRONLY } = constants;

/** The terminal record of a ceremony at a site. */
export function terminalRecord(site: string, transcript: Transcript): TerminalRecord {
  return {
    begin(ceremony) {
      const path = join(site, "transcripts", `${ceremony}.txt`);
      makeFolder(join(site, "transcripts"), 0o755);
      const before = readIfPresent(path, LONGEST);
      transcript.keepWith(appending(path), before === undefined ? "" : fromUtf8(before));
    },
    bytes: () => transcript.bytes(),
  };
}

// A full disk must not end a step in its middle for the sake of its picture: the ledger has room of its own.
function appending(path: string): (text: string) => void {
  let failed = false;
  return (text) => {
    if (failed) return;
    try {
      const exists = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
      const descriptor = exists
        ? openSync(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
        : createFile(path);
      try {
        writeSync(descriptor, text);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      failed = true;
      tellLine(`WARNING: the screen is not kept on disk any more: ${messageOf(error)}`);
    }
  };
}
