/** What a program and all that it starts write anywhere, byte for byte, and which files they make (strace). */

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import type { Place } from "./canaries.ts";

const CALLS = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,open,openat,creat";

/** Words that run a program traced into a file. */
export function tracedInto(file: string): readonly string[] {
  const options = ["-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1000000"];
  return ["strace", ...options, "-e", `trace=${CALLS}`, "-o", file];
}

export interface Traced {
  /** Everything written but to sockets, each content once. */
  readonly written: Place;
  readonly writes: number;
  /** Paths of files that were made. */
  readonly made: readonly string[];
}

/** Reads and removes a trace. @param name of the program, for whoever reads of a find. */
export function readTrace(file: string, name: string): Traced {
  const parts: Buffer[] = [];
  const seen = new Set<string>();
  const made = new Set<string>();
  let writes = 0;
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const call = /^\d+ +(\w+)\(/.exec(line)?.[1] ?? "";
    const strings = [...line.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) =>
      Buffer.from(hex.replaceAll("\\x", ""), "hex"),
    );
    if (call.includes("open") || call === "creat") {
      const [path] = strings;
      if (path !== undefined && line.includes("O_CREAT")) made.add(path.toString());
      continue;
    }
    if (!/(?:write|send)/.test(call) || crossesToModule(line)) continue;
    for (const bytes of strings) {
      writes += 1;
      const digest = createHash("sha256").update(bytes).digest("base64");
      if (!seen.has(digest)) parts.push(bytes, Buffer.of(0));
      seen.add(digest);
    }
  }
  rmSync(file);
  const written = { name: `writes of ${name}`, bytes: Buffer.concat(parts) };
  return { written, writes, made: [...made] };
}

/** Whether a call writes to a socket that is no output: a PIN has to reach the process of its module. */
function crossesToModule(line: string): boolean {
  const [, descriptor = "", kind = ""] = /^\d+ +\w+\((\d+)<((?:\\x[0-9a-f]{2})*)/.exec(line) ?? [];
  return Number(descriptor) > 2 && kind.startsWith(SOCKET);
}

/** `socket:` as the trace has it. */
const SOCKET = [...Buffer.from("socket:")].map((byte) => `\\x${byte.toString(16)}`).join("");
