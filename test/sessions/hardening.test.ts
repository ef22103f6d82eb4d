/** Other processes of the same user do not get at the memory of those that hold secrets; none of it leaves otherwise. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Hsm } from "../../src/hsm/token.ts";
import { hosted } from "../support/hosted.ts";
import { childrenOf, statusOf, until } from "../support/processes.ts";
import { Pty } from "../support/pty.ts";
import { BIN, cleanEnvironment, keyrite, newFolder, ROOT } from "../support/rehearsed-site.ts";
import { installedModule } from "../support/rig.ts";

/** Words that make a program run as an ordinary user: root reads every memory. */
const AS_USER: readonly [string, ...string[]] =
  process.getuid?.() === 0
    ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    : ["env"];
const HIDDEN = "not shown): ";

/** In what ways a process of the same user can look into this one. */
function waysInto(pid: number): readonly string[] {
  const [file, ...rest] = [...AS_USER, "python3", join(ROOT, "test/support/peek.py"), `${pid}`];
  // The system's own Python: another one may be closed to that user.
  const env = { PATH: "/usr/bin:/bin" };
  const { status, stdout, stderr } = spawnSync(file, rest, { encoding: "utf8", env });
  assert.equal(status, 0, stderr);
  return stdout.split("\n").filter((line) => line !== "");
}

/** A medium for somebody who is not the owner of the tests' folder. */
function openFolder(): string {
  const folder = newFolder();
  for (const one of [join(folder, ".."), folder]) chmodSync(one, 0o777);
  return folder;
}

function atPassphrase(folder: string): Pty {
  const medium = ["--medium", join(folder, "medium"), "--person", "ana", "--name", "Ana"];
  const words = ["identity", "new", ...medium, "--domain", "example.org", "--test"];
  return new Pty([...AS_USER, process.execPath, BIN, ...words], {
    env: { ...cleanEnvironment(), NO_COLOR: "1", TERM: "xterm" },
    cwd: "/",
  });
}

function limitOf(pid: number, what: string): string {
  const line = readFileSync(`/proc/${pid}/limits`, "utf8")
    .split("\n")
    .find((one) => one.startsWith(what));
  return line?.slice(what.length).trim().split(/\s+/).slice(0, 2).join(" ") ?? "unknown";
}

test("S04, S05: a process that holds a passphrase lets none of its user in, dumps no core, locks its secrets", async () => {
  const pty = atPassphrase(openFolder());
  try {
    await pty.answer("number, 1 to 2:", "2");
    await pty.answer(HIDDEN, "a passphrase of mine");
    await pty.expect(HIDDEN);
    await until("the command", () => childrenOf(pty.pid).length === 1);
    const [worker = 0] = childrenOf(pty.pid);
    assert.deepEqual(waysInto(worker), []);
    assert.equal(limitOf(worker, "Max core file size"), "0 0");
    assert.ok((statusOf(worker, "VmLck") ?? 0) > 0, "what was typed first is in locked pages");
    // Node's own answer would be to open the inspector and to say so.
    process.kill(worker, "SIGUSR1");
    process.kill(pty.pid, "SIGUSR1");
    pty.send("a passphrase of mine\r");
    assert.equal((await pty.end()).exit, 0, pty.text);
    assert.doesNotMatch(pty.text, /[Dd]ebugger/);
  } finally {
    pty.close();
  }
});

test("S04: the process of a module lets none of its user in, and dumps no core", async () => {
  const command = [...AS_USER, process.execPath, BIN, "module-host"] as const;
  const hsm: Hsm = hosted({ command });
  const tokenDir = openFolder();
  const path = installedModule("softhsm");
  try {
    await hsm.tokens({ name: "soft", profile: "softhsm", path, tokenDir });
    const [host = 0, ...more] = childrenOf(process.pid).filter((pid) => holds(pid, path));
    assert.deepEqual(more, []);
    assert.deepEqual(waysInto(host), []);
    assert.equal(limitOf(host, "Max core file size"), "0 0");
  } finally {
    await hsm.close();
  }
});

test("S04: a process without secrets is open to its user in every way that is tried", async () => {
  const [file, ...rest] = [...AS_USER, process.execPath, "-e", "setInterval(() => {}, 1000)"];
  const child = spawn(file, rest, { stdio: "ignore" });
  try {
    const pid = child.pid ?? assert.fail("it did not start");
    await until("its start", () => waysInto(pid).length >= 4);
    const ways = waysInto(pid);
    for (const way of ["environ", "maps", "mem", "process_vm_readv"])
      assert.ok(ways.includes(way), way);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

test("S04: what shows Node's memory to others is refused before a secret comes in", () => {
  const words = ["identity", "new", "--medium", newFolder(), "--person", "ana", "--name", "Ana"];
  for (const option of [
    "--heapsnapshot-signal=SIGUSR2",
    "--inspect=127.0.0.1:0",
    "--report_on_signal",
  ]) {
    const refused = keyrite([...words, "--domain", "example.org"], {
      env: { NODE_OPTIONS: option },
    });
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /Node was started with --(heapsnapshot|inspect|report)/);
  }
  assert.equal(keyrite(["--version"], { env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" } }).code, 0);
});

function holds(pid: number, path: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/maps`, "utf8").includes(path);
  } catch {
    return false;
  }
}
