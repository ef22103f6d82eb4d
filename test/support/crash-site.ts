/** Sites on which a run is interrupted: at the nth change of a file, or at a PKCS#11 call, and gone on with. */

import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CeremonyRecord } from "../../src/ceremony/history.ts";
import { compiled } from "./compiled.ts";
import {
  BIN,
  cleanEnvironment,
  newFolder,
  RehearsedSite,
  type AnswersDocument,
  type Ran,
} from "./rehearsed-site.ts";
import { firedIn, linesOf, rule, ShimModule, type Nth, type ShimAction } from "./shim.ts";

export const shim = new ShimModule();
const PRELOAD = compiled("kill-points");
const LATER_CLOCK = join(import.meta.dirname, "later-clock.mjs");
/** What the room is told of a call that hangs. */
export const SILENT = "The HSM has been silent";
/** No patience is over when the clock is not put forward again: the room leaves. */
const LEAVE = "0";
const hanging: Readonly<Record<"waits" | "leaves" | "not", NodeJS.ProcessEnv>> = {
  waits: { KEYRITE_LATER: "600" },
  leaves: { KEYRITE_LATER: LEAVE },
  not: {},
};
const KEEP_PINS = rule("*", "*", "keep-pins");

/** The module with which every site here is made. */
export const module = {
  path: shim.path,
  variables: shim.variables,
  env: { ...shim.env, ...shim.with(KEEP_PINS) },
};

/** Where a run is interrupted. */
export type Interruption =
  | { readonly at: "file"; readonly n: number; readonly who: "own" | "both" }
  | {
      readonly at: "call";
      readonly name: string;
      readonly nth: Nth;
      readonly action: ShimAction;
      /** For a call that hangs: what the room does when it is told. */
      readonly then?: "waits" | "leaves";
    };

/** One file point of a run: which call on which file, and how many transactions were complete. */
export interface FilePoint {
  readonly commits: number;
  readonly call: string;
  readonly path: string;
}

export interface Interrupted {
  readonly ran: Ran;
  /** Whether the interruption took place. */
  readonly fired: boolean;
  /** Every point that the run came to. */
  readonly points: readonly FilePoint[];
  readonly calls: readonly string[];
}

/** A ceremony about to be run on a site, and what its rehearsal is told. */
export interface Prepared {
  readonly ceremony: string;
  readonly folder: string;
  readonly options: readonly string[];
}

/** A copy of a prepared site, to be spoiled. */
export class CrashSite {
  readonly site: RehearsedSite;
  readonly ceremony: string;
  readonly #options: readonly string[];
  /** Beside the site: what writes down its calls would end it where the site's disk is full. */
  readonly #logs = newFolder();

  constructor({ ceremony, folder, options }: Prepared, copy = newFolder()) {
    cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
    this.site = new RehearsedSite(copy, module.env);
    this.ceremony = ceremony;
    this.#options = options.map((option) => option.replaceAll(folder, copy));
  }

  remove(): void {
    for (const folder of [this.site.folder, this.#logs])
      rmSync(folder, { recursive: true, force: true });
  }

  /** The ceremony from its beginning. */
  run(interruption?: Interruption): Promise<Interrupted> {
    const answers = this.site.writeAnswers(this.ceremony);
    const words = ["run", this.ceremony, "--answers", answers, ...this.#options];
    return this.#interrupted(words, interruption);
  }

  /** Goes on with the open ceremony; of the choices the first that a step offers is taken. */
  resume(
    open: CeremonyRecord,
    prefer: readonly ("finish" | "undo")[],
    interruption?: Interruption,
  ): Promise<Interrupted> {
    const answers = this.site.writeAnswers(this.ceremony, (document) => {
      const left = Object.entries(document.answers).filter(
        ([step]) => open.steps.get(step) !== "completed",
      );
      document.answers = { ...Object.fromEntries(left), resume: { present: twoOf(document) } };
      for (const step of open.unsettled.keys()) {
        document.answers[step] = { ...document.answers[step], settle: { room: [...prefer] } };
      }
    });
    const media = this.#options.filter((_, at) => this.#isMedium(at));
    return this.#interrupted(["run", "--resume", "--answers", answers, ...media], interruption);
  }

  /** Two people end it. */
  abandon(): Promise<Ran> {
    const answers = this.site.writeAnswers(this.ceremony, (document) => {
      document.answers = { abandon: { present: twoOf(document) } };
    });
    return this.#keyrite(["run", "--abandon", "--answers", answers], {});
  }

  #isMedium(at: number): boolean {
    return [this.#options[at], this.#options[at - 1]].includes("--medium");
  }

  async #interrupted(
    words: readonly string[],
    interruption: Interruption | undefined,
  ): Promise<Interrupted> {
    const [log, called, fired] = ["points", "calls", "fired"].map((name) =>
      join(this.#logs, name),
    ) as [string, string, string];
    for (const one of [log, called, fired]) rmSync(one, { force: true });
    const rules =
      interruption?.at === "call"
        ? [rule(interruption.name, interruption.nth, interruption.action)]
        : [];
    const file = interruption?.at === "file" ? interruption : undefined;
    const ran = await this.#keyrite(words, {
      ...shim.with(KEEP_PINS, ...rules),
      KEYRITE_SHIM_LOG: called,
      KEYRITE_SHIM_FIRED: fired,
      LD_PRELOAD: PRELOAD,
      KEYRITE_KILL_ROOT: this.site.folder,
      KEYRITE_KILL_LOG: log,
      KEYRITE_KILL_AT: String(file?.n ?? 0),
      KEYRITE_KILL_WHO: file?.who ?? "own",
      ...(interruption?.at === "call" ? hanging[interruption.then ?? "not"] : {}),
    });
    const points = pointsIn(log);
    const happened = file === undefined ? firedIn(fired).length > 0 : points.length >= file.n;
    return { ran, fired: happened, points, calls: linesOf(called) };
  }

  // Several sites at a time: this process must not stand still meanwhile.
  async #keyrite(words: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
    const clock = env["KEYRITE_LATER"] === undefined ? [] : ["--import", LATER_CLOCK];
    const child = spawn(process.execPath, [...clock, BIN, ...words], {
      env: { ...cleanEnvironment(), ...module.env, KEYRITE_SITE: this.site.site, ...env },
      cwd: tmpdir(),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 300_000,
      killSignal: "SIGABRT",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    let asked = 0;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      // The second time when it has said that it heard the first.
      const leave = asked === 0 ? SILENT : "stopping after the present step";
      if (env["KEYRITE_LATER"] !== LEAVE || asked > 1 || !stderr.includes(leave)) return;
      asked += 1;
      child.kill("SIGINT");
    });
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout, stderr };
  }
}

// The outbox, the ledger, media and vaults.
function pointsIn(log: string): readonly FilePoint[] {
  return linesOf(log).map((line) => {
    const [, commits = "", call = "", ...path] = line.split(" ");
    return { commits: Number(commits), call, path: path.join(" ") };
  });
}

/** Two of the roll who may decide. */
function twoOf(document: AnswersDocument): Record<string, string> {
  const present = document.answers["roll-call"]?.["present"] ?? {};
  const { ana = "ceremony-administrator", eve = "internal-witness" } = present;
  return { ana: String(ana), eve: String(eve) };
}
