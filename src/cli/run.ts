/** `keyrite run`: conducts a ceremony, or abandons the one that is open. */

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { Conductor } from "../ceremony/conduct.ts";
import type { Vaults } from "../ceremony/action.ts";
import { findingLines, wayOn } from "../ceremony/finding.ts";
import type { Hall } from "../ceremony/hall.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import { Recorder } from "../ceremony/recorder.ts";
import type { Hsm } from "../hsm/token.ts";
import { headName } from "../people/medium.ts";
import { timestamp } from "../lib/clock.ts";
import { equalBytes } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { readBounded } from "../lib/files.ts";
import { kdfMilliseconds } from "../lib/age.ts";
import { openHsm } from "./hosted.ts";
import { software } from "./package-root.ts";
import { openConsole, type OpenedConsole } from "./consoles.ts";
import { goOn, type Ended } from "./run-open.ts";
import { mediumSource, readMediumOptions } from "./media.ts";
import { printJson, tellLine } from "./output.ts";
import { closingProofs, proofsJson } from "./closing-proofs.ts";
import { drillPageOf } from "./drill-pages.ts";
import { findScript, planOnSite, readSetOptions, requirePlan } from "./planning.ts";
import { keepToLookAt, openSite, siteFolder, type OpenSite } from "./site.ts";
import { outbox, siteFiles } from "./site-files.ts";
import { terminalRecord } from "./transcripts.ts";
import { makeVaults, readVaultOptions } from "./vaults.ts";
import { publicKeysFromNewProcess } from "./new-process.ts";
import { peakRssMiB, systemClock, systemRandom } from "./system.ts";

export interface RunOptions {
  readonly site?: string;
  readonly set: readonly string[];
  readonly medium: readonly string[];
  readonly vault: readonly string[];
  readonly answers?: string;
  readonly answersFd?: string;
  readonly abandon?: boolean;
  readonly resume?: boolean;
  readonly json?: boolean;
}

export async function run(name: string | undefined, options: RunOptions): Promise<void> {
  const start = systemClock.monotonic();
  const site = openSite(siteFolder(options.site), { write: true });
  let opened: OpenedConsole | undefined;
  const hsm = openHsm((words) => opened?.console.tell(words), site.folder);
  try {
    opened = openConsole(site.genesis.assurance, options);
    const ended = await conduct(site, hsm, opened, name, options);
    // A failed drill has left steps out, and with them what was to be answered.
    if (ended.failure === undefined) opened.console.finish();
    const timings = {
      pkcs11Ms: Math.round(hsm.counters.milliseconds),
      kdfMs: Math.round(kdfMilliseconds()),
      waitMs: Math.round(opened.console.waitedMs),
      totalMs: Math.round(systemClock.monotonic() - start),
    };
    const proofs = await closingProofs(site, siteVaults(site, options), ended.ceremony);
    const drill = await drillPageOf(site, ended.ceremony);
    report(site, ended, options.json === true, { timings, proofs: proofs.map(proofsJson), drill });
    keepToLookAt(site);
    if (ended.failure !== undefined) throw ended.failure;
  } finally {
    await closed(hsm);
    opened?.close();
    site.ledger.close();
  }
}

// What the ceremony came to stands by itself: a module that does not end well neither hides it nor changes it.
async function closed(hsm: Hsm): Promise<void> {
  try {
    await hsm.close();
  } catch (error) {
    tellLine(`The HSM's module did not end well: ${messageOf(error)}`);
  }
}

async function conduct(
  site: OpenSite,
  hsm: Hsm,
  opened: OpenedConsole,
  name: string | undefined,
  options: RunOptions,
): Promise<Ended> {
  const { open } = site.history;
  const inputs = new Map([
    [join(site.folder, "site.yaml"), site.bindings.bytes],
    [join(site.folder, "genesis.json"), site.genesisBytes],
  ]);
  const hall = makeHall(site, hsm, opened, options, inputs);
  const recorder = new Recorder(site.ledger, site.fold);
  if (options.abandon === true || options.resume === true) {
    return goOn({ site, hall, recorder }, { name, ...options });
  }
  if (open !== null) throw stillOpen(open, hall);
  if (name === undefined) {
    throw new KeyriteError("usage.bad-option", "name the script to run", {
      hints: ["for example keyrite run generate-root-ca --set key=root-g1"],
    });
  }
  const file = findScript(name);
  inputs.set(file.path, file.bytes);
  const set = { ...opened.set, ...readSetOptions(options.set) };
  const plan = requirePlan(await planOnSite(site, file, set, vaultsGiven(options), inputs), file);
  const ceremony = ceremonyId(plan.script.name);
  const conducted = await new Conductor(hall, recorder, plan, ceremony).conduct();
  return { ...conducted, state: "closed" };
}

function makeHall(
  site: OpenSite,
  hsm: Hsm,
  opened: OpenedConsole,
  options: RunOptions,
  inputs: ReadonlyMap<string, Uint8Array>,
): Hall {
  const media = new Map([...site.bindings.media, ...readMediumOptions(options.medium)]);
  return {
    genesis: site.genesis,
    genesisBytes: site.genesisBytes,
    policy: site.policy,
    policyBytes: site.policyBytes,
    bindings: site.bindings,
    ledger: site.ledger,
    console: opened.console,
    terminal: terminalRecord(site.folder, opened.transcript),
    hsm,
    clock: systemClock,
    random: systemRandom,
    vocabulary: site.vocabulary,
    software: software(),
    medium: mediumSource(opened.console, media),
    files: siteFiles(site.folder),
    outbox: (ceremony) => outbox(site.folder, ceremony),
    vaults: siteVaults(site, options),
    publicKeysFromNewProcess: publicKeysFromNewProcess((words) => {
      opened.console.tell(words);
    }),
    changedInput: () => changedInput(inputs),
    interrupted: () => opened.interrupted(),
  };
}

function vaultsGiven(options: RunOptions): readonly string[] {
  return [...readVaultOptions(options.vault).keys()];
}

function siteVaults(site: OpenSite, options: RunOptions): Vaults {
  const given = readVaultOptions(options.vault);
  return makeVaults(site.folder, new Map([...site.bindings.vaults, ...given]));
}

/** Name of the first file whose bytes are not those that were read at the start. */
function changedInput(inputs: ReadonlyMap<string, Uint8Array>): string | undefined {
  for (const [path, bytes] of inputs) {
    if (!holdsStill(path, bytes)) return basename(path);
  }
  return undefined;
}

function holdsStill(path: string, bytes: Uint8Array): boolean {
  try {
    return equalBytes(readBounded(path, bytes.length), bytes);
  } catch {
    // Gone, longer, or no regular file any more: not what was read in any case.
    return false;
  }
}

/** `YYYYMMDD-<script>-<4 base32>`, unique enough to be read aloud and never reused at a site. */
function ceremonyId(script: string): string {
  const day = timestamp(systemClock.now()).slice(0, 10).replaceAll("-", "");
  const letters = Array.from(
    systemRandom.bytes(4),
    (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31],
  );
  return `${day}-${script}-${letters.join("")}`;
}

function stillOpen(open: CeremonyRecord, { vocabulary }: Hall): KeyriteError {
  const code = open.doubt === null ? "halted.ceremony-open" : "halted.in-doubt";
  return new KeyriteError(code, `ceremony ${open.id} is still open`, {
    hints: [
      ...findingLines(open),
      "inspect what it left behind before going on",
      ...wayOn(open, vocabulary),
    ],
  });
}

/** What the room does when the ceremony is over. */
function nextSteps(site: OpenSite, ceremony: string): readonly string[] {
  const outboxFolder = join(site.folder, "outbox", ceremony);
  const head = join("heads", headName(site.genesis.origin));
  return [
    "Next:",
    "  Read the words of the head aloud and write them on the paper script; everybody signs it.",
    "  Everybody takes their medium along: on it is the head they vouch for,",
    `  ${head}.`,
    ...(existsSync(outboxFolder)
      ? ["  The files that were made lie in", `  ${outboxFolder}.`]
      : []),
    "  To check the record against the head of one of you:",
    `  keyrite verify ${site.folder} --trust ${join(site.folder, "trust.txt")} --head MEDIUM/${head}`,
  ];
}

function report(site: OpenSite, ended: Ended, json: boolean, measured: JsonObject): void {
  const { ceremony, state, closing, failure } = ended;
  tellLine(`Ceremony ${ceremony} is ${state}.`);
  for (const line of nextSteps(site, ceremony)) tellLine(line);
  if (!json) return;
  printJson("run", {
    ceremony,
    state,
    origin: site.genesis.origin,
    assurance: site.genesis.assurance,
    size: closing.size,
    root: closing.root,
    head: closing.head,
    cosigned: [...closing.cosigned],
    failure: failure === undefined ? null : { code: failure.code, message: failure.message },
    ...measured,
    peakRssMiB: peakRssMiB(),
  });
}
