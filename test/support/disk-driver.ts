/**
 * Run under failing-disk: writes a ledger, and files as a ceremony does, once for every fault that can befall it,
 * or for every so manieth, and says of each what came of it, one line of JSON.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { makeFolder, replaceFile, writeNewFile } from "../../src/lib/files.ts";
import { folderFiles } from "../../src/cli/vault-files.ts";
import { draft, ledgerKey, ledgerVerifier, makeLedger, testClock } from "./ledger-fixture.ts";

/** What came of one fault. */
export interface FaultOutcome {
  readonly call: string;
  readonly errno: number;
  readonly once: boolean;
  readonly at: number;
  readonly subject: "ledger" | "files" | "vault";
  /** Undefined when everything was done all the same. */
  readonly error:
    { readonly code: string; readonly message: string; readonly hints: string } | undefined;
  /** What was acknowledged before it, and what was found when the disk was well again. */
  readonly acknowledged: number;
  readonly found: number;
  /** What is wrong with what was found: damage, something half-written, a success that is none. */
  readonly wrong: string | undefined;
}

const [, , folder = "", stride = "1"] = process.argv;
const EIO = 5;
const EINTR = 4;
const CASES = [
  // ENOSPC, EDQUOT, EFBIG, EROFS; EAGAIN.
  ...[28, 122, 27, 30, EIO, 11, EINTR].map((errno) => ({ call: "write", errno })),
  { call: "fsync", errno: EIO },
  { call: "short", errno: 0 },
];

let runs = 0;
function arm(call: string, errno: number, at: number, once: boolean, under: string): void {
  runs += 1;
  process.env["KEYRITE_FAIL_CALL"] = call;
  process.env["KEYRITE_FAIL_ERRNO"] = String(errno);
  process.env["KEYRITE_FAIL_AT"] = String(at);
  process.env["KEYRITE_FAIL_RUN"] = String(runs);
  process.env["KEYRITE_FAIL_UNDER"] = under;
  process.env["KEYRITE_FAIL_LOG"] = join(folder, "fault");
  if (once) process.env["KEYRITE_FAIL_ONCE"] = "yes";
  else delete process.env["KEYRITE_FAIL_ONCE"];
}

/** Whether the fault happened. */
function disarm(): boolean {
  delete process.env["KEYRITE_FAIL_CALL"];
  const happened = readdirSync(folder).includes("fault");
  rmSync(join(folder, "fault"), { force: true });
  return happened;
}

/** One way to use the disk; returns what is wrong afterwards, when the disk is well again. */
interface Subject {
  readonly name: FaultOutcome["subject"];
  readonly act: (place: string) => Promise<number> | number;
  readonly judge: (
    place: string,
    failed: boolean,
    acknowledged: number,
  ) => readonly [number, string?];
}

const OLD = Buffer.alloc(3000, "old");
const NEW = Buffer.alloc(9000, "new");
let acknowledged = 0;

function openedForWriting(path: string): LedgerStore {
  const clock = testClock();
  clock.time += 60_000;
  return LedgerStore.open(path, { write: { clock, key: ledgerKey, reserve: true } });
}

function sizeAndFindings(path: string): readonly [number, string?] {
  const store = openedForWriting(path);
  try {
    const { findings, size } = verifyLedger(store, { key: ledgerVerifier });
    return findings.length === 0 ? [size] : [size, findings.map(({ code }) => code).join()];
  } finally {
    store.close();
  }
}

const ledger: Subject = {
  name: "ledger",
  act(place) {
    const store = openedForWriting(join(place, "ledger.db"));
    try {
      acknowledged = store.size;
      for (const type of ["step.begun", "step.completed"] as const) {
        const outcome = type === "step.begun" ? "pending" : "success";
        const attachment = {
          mediaType: "text/plain",
          bytes: new Uint8Array(20_000).fill(acknowledged),
        };
        acknowledged = store.append(
          [draft("x".repeat(9000), { type, outcome, facts: [] })],
          [attachment],
        ).size;
      }
    } finally {
      store.close();
    }
    return acknowledged;
  },
  judge(place, failed) {
    const [size, wrong] = sizeAndFindings(join(place, "ledger.db"));
    if (wrong !== undefined) return [size, wrong];
    if (size < acknowledged) return [size, "an acknowledged entry is lost"];
    if (size > acknowledged + (failed ? 1 : 0)) return [size, "more entries than anybody appended"];
    return [size];
  },
};

const files: Subject = {
  name: "files",
  act(place) {
    makeFolder(join(place, "outbox"), 0o755);
    writeNewFile(join(place, "outbox", "made"), NEW, { mode: 0o644 });
    acknowledged = 1;
    replaceFile(join(place, "replaced"), NEW, { mode: 0o644 });
    acknowledged = 2;
    return acknowledged;
  },
  judge(place) {
    const read = (name: string): Buffer | undefined => {
      try {
        return readFileSync(join(place, name));
      } catch {
        return undefined;
      }
    };
    const [made, replaced] = [read("outbox/made"), read("replaced")];
    if (acknowledged > 0 && made?.equals(NEW) !== true)
      return [0, "a file that was written is not there"];
    if (made !== undefined && !made.equals(NEW)) return [0, "a file is half-written"];
    if (replaced === undefined || ![OLD, NEW].some((one) => replaced.equals(one))) {
      return [0, "a file is neither the old one nor the new one"];
    }
    if (acknowledged > 1 && !replaced.equals(NEW)) return [0, "a file was not replaced"];
    return [acknowledged];
  },
};

const vault: Subject = {
  name: "vault",
  async act(place) {
    const names = ["keys/one.p8wrap", "keys/two.p8wrap", "backup.json"];
    await folderFiles(place).write(names.map((name) => ({ name, bytes: NEW })));
    acknowledged = names.length;
    return acknowledged;
  },
  judge(place, failed) {
    if (!existsSync(place)) return [0];
    const found = readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.includes("."),
    );
    const whole = found.every((name) => readFileSync(join(place, name)).equals(NEW));
    if (!whole) return [found.length, "a file of a backup is half-written"];
    if (failed && found.length > 0) return [found.length, "a part of a backup is left"];
    return [found.length];
  },
};

async function perform(
  subject: Subject,
  call: string,
  errno: number,
  once: boolean,
  at: number,
): Promise<boolean> {
  const place = join(folder, subject.name);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  if (subject.name === "ledger")
    cpSync(join(folder, "base", "ledger.db"), join(place, "ledger.db"));
  if (subject.name === "files") writeFileSync(join(place, "replaced"), OLD);
  acknowledged = subject.name === "ledger" ? 3 : 0;
  arm(call, errno, at, once, place);
  let error: unknown;
  try {
    await subject.act(place);
  } catch (caught) {
    error = caught;
  }
  const happened = disarm();
  const [found, wrong] = subject.judge(place, error !== undefined, acknowledged);
  const outcome: FaultOutcome = {
    ...{ call, errno, once, at, subject: subject.name, acknowledged, found, wrong },
    error:
      error === undefined
        ? undefined
        : error instanceof KeyriteError
          ? { code: error.code, message: error.message, hints: error.hints.join("; ") }
          : { code: "uncaught", message: inspect(error), hints: "" },
  };
  if (happened) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  return happened;
}

mkdirSync(join(folder, "base"));
makeLedger(join(folder, "base"), [["one"], ["two", "three"]]);
for (const subject of [ledger, files, vault]) {
  for (const { call, errno } of CASES) {
    // A call that is interrupted for ever is made for ever.
    for (const once of errno === EINTR ? [true] : [true, false]) {
      for (
        let at = 1;
        await perform(subject, call, errno, once, at);
        at += call === "write" ? Number(stride) : 1
      );
    }
  }
}
