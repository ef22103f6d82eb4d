/**
 * Looks after the terminal of commands that people type secrets into: the command runs in a process of its own,
 * and however that ends, killed by whatever it may be, the terminal is as it was before. Node itself leaves it
 * without echo after SIGKILL and SIGHUP.
 */
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { constants } = require("node:os");

/** Tells the command which process looks after its terminal. */
const MARK = "KEYRITE_SUPERVISOR";

/** Bit of the terminal's local modes that turns keys into signals. */
const ISIG = 1;
/** Time for the command to put the terminal in order before this process stops as well. */
const BEFORE_STOP_MS = 100;

/**
 * Whether the command is to be looked after, and nobody does yet. No person is asked where a file answers.
 * @param {readonly string[]} args
 */
function wanted(args) {
  return !args.includes("--answers") && Number(process.env[MARK]) !== process.ppid;
}

/**
 * Runs the command and returns its exit code.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
function supervise(args) {
  const before = modes();
  const child = spawn(
    process.execPath,
    [...process.execArgv, ...process.argv.slice(1, 2), ...args],
    {
      stdio: "inherit",
      env: { ...process.env, [MARK]: String(process.pid) },
    },
  );
  passOn(child);
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stderr.write(`error: the command could not be started: ${error.message}\n`);
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      if (before !== undefined) stty([before]);
      resolve(signal === null ? (code ?? 1) : killed(args, signal));
    });
  });
}

/**
 * Signals that this process gets are the command's. What a key or a hang-up sends goes to both by itself, and
 * twice would mean to leave at once.
 * @param {import("node:child_process").ChildProcess} child
 */
function passOn(child) {
  for (const name of /** @type {const} */ (["SIGINT", "SIGQUIT", "SIGHUP"])) {
    process.on(name, () => {
      if (!sentByTerminal()) child.kill(name);
    });
  }
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGTSTP", () => {
    child.kill("SIGTSTP");
    setTimeout(() => process.kill(process.pid, "SIGSTOP"), BEFORE_STOP_MS);
  });
  process.on("SIGCONT", () => child.kill("SIGCONT"));
  // As in the command: not to the inspector.
  process.on("SIGUSR1", () => undefined);
}

/** While keys make no signals and the terminal is there, somebody has sent it. */
function sentByTerminal() {
  const local = Number.parseInt(modes()?.split(":")[3] ?? "", 16);
  return Number.isNaN(local) || (local & ISIG) !== 0;
}

/** All modes of the terminal, or undefined when it is gone or there is no stty. */
function modes() {
  const text = stty(["-g"]);
  return text === "" ? undefined : text;
}

/** @param {readonly string[]} args */
function stty(args) {
  const { error, stdout } = spawnSync("stty", args, {
    stdio: ["inherit", "pipe", "ignore"],
    encoding: "utf8",
  });
  return error === undefined ? stdout.trim() : "";
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.Signals} signal
 */
function killed([command], signal) {
  const hint =
    command === "run"
      ? "what was under way is in doubt: keyrite status shows it, keyrite run --resume settles it"
      : "start again when you are ready";
  process.stderr.write(`\nerror: the command was ended by ${signal}\nhint: ${hint}\n`);
  return command === "run" ? 7 : 128 + constants.signals[signal];
}

module.exports = { wanted, supervise };
