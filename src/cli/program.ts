/** The commands as commander knows them; each loads its own parts only when it is run. */

import { Command, CommanderError } from "commander";
import { exampleText } from "./examples.ts";
import { KeyriteError } from "../lib/errors.ts";
import { lostOutput, showError, watchOutputs, type ErrorDisplay } from "./output.ts";
import { addArchive, addExport, addProve, addReport, addVerifyProof } from "./program-audit.ts";
import { addBackup } from "./program-backup.ts";
import { addCosign, addTimestamp } from "./program-heads.ts";
import { addHierarchy } from "./program-pki.ts";
import { VERSION } from "./version.ts";
import { hardenFor } from "./with-secrets.ts";

const collect = (value: string, list: readonly string[]): readonly string[] => [...list, value];
const NONE: readonly string[] = [];

/** Parses and runs one command line; returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const display = { debug: argv.includes("--debug"), json: argv.includes("--json") };
  watchOutputs();
  const code = await parseAndRun(argv, display);
  const lost = await lostOutput();
  // Whoever closed the pipe has read enough; any other loss makes success a lie.
  if (code !== 0 || lost === undefined || errnoOf(lost) === "EPIPE") return code;
  return showError(outputFailed(lost), display);
}

function errnoOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

function outputFailed(cause: Error): KeyriteError {
  return new KeyriteError("site.disk", `the output could not be written: ${cause.message}`, {
    hints: ["make room, or write it elsewhere, and run the command again"],
    cause,
  });
}

async function parseAndRun(argv: readonly string[], display: ErrorDisplay): Promise<number> {
  const program = buildProgram(argv[0]);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) return showError(error, display);
    if (error.exitCode === 0) return 0;
    // Called without a command it has shown its help, which says more than a message could.
    if (error.code === "commander.help") return 2;
    return showError(usageError(error), display);
  }
}

/** What commander refuses, in the form of every other refusal. */
function usageError(error: CommanderError): KeyriteError {
  const [first = "", ...meant] = error.message.split("\n").filter((line) => line !== "");
  return new KeyriteError("usage.bad-option", first.replace(/^error: /, ""), {
    hints: [
      ...meant.map((line) => line.replace(/^\((.*)\)$/, "$1")),
      "keyrite COMMAND --help lists what it takes",
    ],
    cause: error,
  });
}

/**
 * The command line. With the name of a command it knows that one alone, for making all of them takes longer
 * than parsing; anything else, a misspelt name for one, is judged and explained with all of them.
 */
export function buildProgram(named?: string): Command {
  const program = new Command("keyrite")
    .description(
      "Trusted-role ceremonies for certificate authorities: scripted, under dual control.",
    )
    .version(VERSION)
    .option("--debug", "show stack traces")
    .showSuggestionAfterError()
    .configureOutput({
      // Said by showError, in the form of every other refusal.
      outputError: () => undefined,
    })
    .exitOverride()
    .hook("preAction", (_, command) => hardenFor(fullName(command)));
  const only = named === undefined ? undefined : COMMANDS.get(named);
  if (only !== undefined) only(program);
  else for (const add of COMMANDS.values()) add(program);
  for (const command of program.commands) finish(command);
  return program;
}

/** Examples and exit behaviour for a command and its subcommands. */
function finish(command: Command): void {
  command.exitOverride().showSuggestionAfterError();
  command.addHelpText("after", exampleText(fullName(command)));
  for (const sub of command.commands) finish(sub);
}

function fullName(command: Command): string {
  const parent = command.parent;
  return parent?.parent == null ? command.name() : `${parent.name()} ${command.name()}`;
}

function onSite(command: Command): Command {
  return command
    .option("--site <dir>", "the site's folder (else KEYRITE_SITE, else the current directory)")
    .option("--json", "print one JSON document on standard output");
}

function addInit(program: Command): void {
  onSite(program.command("init"))
    .description("make a site from founders' cards and a policy: genesis, bindings, empty ledger")
    .requiredOption(
      "--origin <name>",
      "name of the ledger, e.g. pki.example.org/dc1 (…/test for tests)",
    )
    .requiredOption("--policy <file>", "the site's rules, adopted by digest")
    .option(
      "--founder <card=role,…>",
      "a founder's public card and roles (repeat, at least two)",
      collect,
      NONE,
    )
    .option("--module <name=profile:path>", "a PKCS#11 module (repeat)", collect, NONE)
    .option(
      "--token <name=module>",
      "a token, blank until it is initialized (repeat)",
      collect,
      NONE,
    )
    .option("--medium <person=dir>", "where a person's medium is found (repeat)", collect, NONE)
    .option(
      "--vault <name=dir>",
      "where key backups are kept, outside the site (repeat)",
      collect,
      NONE,
    )
    .action(async (options) => (await import("./init.ts")).init(options as never));
}

function addIdentity(program: Command): void {
  const identity = program.command("identity").description("make or show a person's identity");
  identity
    .command("new")
    .description("make a sealed identity on a medium and print its public card")
    .requiredOption("--medium <dir>", "the person's own folder, e.g. their USB stick")
    .requiredOption("--person <id>", "id, never reused: lower-case letters, digits, dashes")
    .requiredOption("--name <name>", "name as people know it")
    .requiredOption("--domain <domain>", "the organisation's domain, e.g. example.org")
    .option("--test", "for test sites only; never valid in production")
    .option("--log-n <n>", "cost of opening it, as a power of two (production: at least 17)")
    .option("--answers <file>", "take the passphrase from a rehearsal's answers (implies --test)")
    .option("--answers-fd <n>", "take the passphrases of --answers from this descriptor")
    .option("--json", "print one JSON document on standard output")
    .action(async (options) => (await import("./identity.ts")).identityNew(options as never));
  identity
    .command("show")
    .description("print the public card on a medium")
    .requiredOption("--medium <dir>", "the person's own folder")
    .option("--json", "print one JSON document on standard output")
    .action(async (options) => (await import("./identity.ts")).identityShow(options as never));
}

function addCheck(program: Command): void {
  onSite(program.command("check"))
    .argument("[script]", "a script.yaml, its folder, or the name of a shipped ceremony")
    .description("read, bind and plan a script; print the plan, or every objection with its place")
    .option("--set <name=value>", "value of a parameter (repeat)", collect, NONE)
    .option("--vault <name=dir>", "where a vault of key backups is (repeat)", collect, NONE)
    .option("--tokens", "also look at the tokens, without login")
    .option("--schema", "print the JSON Schema of scripts")
    .action(async (script, options) =>
      (await import("./check.ts")).check(script as never, options as never),
    );
}

function addPaper(program: Command): void {
  onSite(program.command("paper"))
    .argument("<script>", "a script.yaml, its folder, or the name of a shipped ceremony")
    .description("print the script for paper: steps, initials, times, exception sheet")
    .option("--set <name=value>", "value of a parameter (repeat)", collect, NONE)
    .option("--vault <name=dir>", "where a vault of key backups is (repeat)", collect, NONE)
    .option("--html", "a page for print instead of Markdown")
    .action(async (script, options) =>
      (await import("./paper.ts")).paper(script as never, options as never),
    );
}

function addRun(program: Command): void {
  onSite(program.command("run"))
    .argument("[script]", "a script.yaml, its folder, or the name of a shipped ceremony")
    .description("conduct a ceremony")
    .option("--set <name=value>", "value of a parameter (repeat)", collect, NONE)
    .option("--medium <person=dir>", "where a person's medium is (repeat)", collect, NONE)
    .option("--vault <name=dir>", "where a vault of key backups is (repeat)", collect, NONE)
    .option("--answers <file>", "rehearse with answers from a file (test sites only)")
    .option("--answers-fd <n>", "take the passphrases of --answers from this descriptor")
    .option("--resume", "go on with the open ceremony")
    .option("--abandon", "end the open ceremony; two people agree")
    .action(async (script, options) =>
      (await import("./run.ts")).run(script as never, options as never),
    );
}

function addStatus(program: Command): void {
  onSite(program.command("status"))
    .description("what the site holds, what is open, due or in doubt")
    .option("--all", "list every key, backup and certificate, however many there are")
    .option("--no-cache", "fold the whole ledger, also where a ceremony kept its status")
    .action(async (options) => (await import("./status.ts")).status(options as never));
}

function addVerify(program: Command): void {
  onSite(program.command("verify"))
    .argument("[ledger]", "a ledger.db or the folder that holds it (else the site's)")
    .description("recompute a ledger from its bytes and judge it and its ceremonies, offline")
    .option("--trust <file>", "trust file: the genesis digest and verifier keys")
    .option("--words <words>", "the 32 words of the genesis digest on the signed sheet")
    .option(
      "--head <file|medium|words>",
      'a head that somebody holds: a file, a medium, or "SIZE WORDS" from paper (repeat)',
      collect,
      NONE,
    )
    .option("--ceremony <id>", "show this one, step by step")
    .option("--verbose", "show every ceremony step by step")
    .option(
      "--threads <n>",
      "threads besides the main one for a large ledger; 0: none (else by the cores)",
    )
    .action(async (place, options) =>
      (await import("./verify.ts")).verify(place as never, options as never),
    );
}

function addHsm(program: Command): void {
  const hsm = program.command("hsm").description("look at tokens, without login");
  onSite(hsm.command("list"))
    .description("tokens of every module the site binds")
    .action(async (options) => (await import("./hsm.ts")).hsmList(options as never));
  onSite(hsm.command("inspect"))
    .argument("<token>", "name of a token in site.yaml")
    .description("one token: plate, mechanisms, visible objects")
    .action(async (token, options) =>
      (await import("./hsm.ts")).hsmInspect(token as never, options as never),
    );
}

function addDoctor(program: Command): void {
  onSite(program.command("doctor"))
    .description("what is wrong with this machine or site, and what to do")
    .action(async (options) => (await import("./doctor.ts")).doctor(options as never));
}

function addDemo(program: Command): void {
  program
    .command("demo")
    .argument("[ceremony...]", "shipped ceremonies to perform (else all that the main job needs)")
    .description("the whole story on software tokens in a throw-away site")
    .option("--out <dir>", "keep everything that was made in this folder")
    .option("--json", "print one JSON document on standard output")
    .action(async (names, options) =>
      (await import("./demo.ts")).demo(names as never, options as never),
    );
}

function addCompletion(program: Command): void {
  program
    .command("completion")
    .argument("<shell>", "bash, zsh or fish")
    .description("print what a shell needs to complete commands, options and ceremonies")
    .action(async (shell: string) => {
      (await import("./completion.ts")).completion(shell, buildProgram());
    });
}

/** Every command, in the order in which help lists them. */
const COMMANDS: ReadonlyMap<string, (program: Command) => void> = new Map([
  ["init", addInit],
  ["identity", addIdentity],
  ["check", addCheck],
  ["paper", addPaper],
  ["run", addRun],
  ["status", addStatus],
  ["verify", addVerify],
  ["report", addReport],
  ["export", addExport],
  ["archive", addArchive],
  ["prove", addProve],
  ["verify-proof", addVerifyProof],
  ["cosign", addCosign],
  ["timestamp", addTimestamp],
  ["backup", addBackup],
  ["hierarchy", addHierarchy],
  ["hsm", addHsm],
  ["doctor", addDoctor],
  ["demo", addDemo],
  ["completion", addCompletion],
]);
