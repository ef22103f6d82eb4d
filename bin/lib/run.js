/** Talking on stderr and running other programs for set-up, with a sign of life while they work. */
"use strict";

const { spawn } = require("node:child_process");

/** A failure a person can act on: the message is printed without a stack. */
class SetupError extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode 2 when the person at the prompt must act, 1 when something broke
   */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

const HEARTBEAT_MS = 15_000;
const LINES_ON_FAILURE = 40;
const started = Date.now();

/**
 * One line of progress with the seconds since the start. On stderr: stdout belongs to the command
 * that npm runs afterwards.
 * @param {string} text
 */
function say(text) {
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stderr.write(`setup ${String(seconds).padStart(4)} s  ${text}\n`);
}

/**
 * Runs a program to its end, its output kept back unless it fails.
 * @param {string} label what it does, for the lines on progress
 * @param {readonly string[]} command program and arguments
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<void>}
 * @throws {SetupError} with the end of its output when it exits other than 0
 */
function run(label, command, options = {}) {
  const [program = "", ...args] = command;
  say(label);
  const begun = Date.now();
  const beat = setInterval(() => {
    say(`${label}: still at it (${String(Math.round((Date.now() - begun) / 1000))} s)`);
  }, HEARTBEAT_MS);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-64 * 1024);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      clearInterval(beat);
      reject(new SetupError(`${label} failed: ${error.message}`, 1));
    });
    child.on("close", (code, signal) => {
      clearInterval(beat);
      if (code === 0) {
        resolve();
        return;
      }
      const tail = output.trimEnd().split("\n").slice(-LINES_ON_FAILURE).join("\n");
      const how = signal ?? `exit ${String(code)}`;
      reject(new SetupError(`${tail}\n\n${label} failed (${how}): ${command.join(" ")}`, 1));
    });
  });
}

module.exports = { SetupError, run, say };
