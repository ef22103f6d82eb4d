/** The stock `age` program, driven as its users drive it: passphrases are typed at a terminal. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `body` with a folder of its own, removed afterwards. */
export async function inFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-test-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `age ARGS`, with `input` on stdin; its stdout. */
export function age(args: readonly string[], input: Uint8Array = new Uint8Array()): Uint8Array {
  return execFileSync("age", args, { input, stdio: "pipe" });
}

/** `age-keygen`: the text of an identity file. */
export function ageKeygen(): string {
  return execFileSync("age-keygen", { stdio: "pipe" }).toString();
}

const TYPIST = `
import os, pty, sys
typed = sys.argv[1].encode() + b"\\n"
pid, fd = pty.fork()
if pid == 0:
    os.execvp("age", ["age"] + sys.argv[2:])
seen = b""
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    if b"passphrase" in seen and seen.rstrip().endswith(b":"):
        os.write(fd, typed)
        seen = b""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** `age -o OUT ARGS` at a pseudo-terminal, answering each prompt with the passphrase; OUT's bytes. */
export async function ageTyping(
  passphrase: string,
  args: readonly string[],
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array> {
  return inFolder((folder) => {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const all = ["-c", TYPIST, passphrase, "-o", "out", ...args];
    execFileSync("python3", all, { cwd: folder, stdio: "pipe", timeout: 60_000 });
    return readFileSync(join(folder, "out"));
  });
}
