/** `keyrite run`: conducts a ceremony, or abandons the one that is open. */

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { Conductor } from "../ceremony/conduct.ts";
import { abandonOpen, findingLines } from "../ceremony/abandon.ts";
import type { Participant } from "../ceremony/action.ts";
import type { Closing } from "../ceremony/closing.ts";
import type { Hall } from "../ceremony/hall.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import { Recorder } from "../ceremony/recorder.ts";
import { ONLOOKERS } from "../ceremony/words.ts";
import type { Hsm } from "../hsm/token.ts";
import { headName } from "../people/medium.ts";
import { createHsm } from "../hsm/hsm.ts";
import { timestamp } from "../lib/clock.ts";
import { equalBytes } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";
import { kdfMilliseconds } from "../lib/age.ts";
import { software } from "./package-root.ts";
import { openConsole, type OpenedConsole } from "./consoles.ts";
import { mediumSource, readMediumOptions } from "./media.ts";
import { printJson, tellLine } from "./output.ts";
import { findScript, planOnSite, readSetOptions, requirePlan } from "./planning.ts";
import { openSite, siteFolder, type OpenSite } from "./site.ts";
import { outbox, siteFiles } from "./site-files.ts";
import { peakRssMiB, setEnvironment, systemClock, systemRandom } from "./system.ts";

export interface RunOptions {
  readonly site?: string;
  readonly set: readonly string[];
  readonly medium: readonly string[];
  readonly answers?: string;
  readonly answersFd?: string;
  readonly abandon?: boolean;
  readonly resume?: boolean;
  readonly json?: boolean;
}

interface Ended {
  readonly ceremony: string;
  readonly state: "closed" | "abandoned";
  readonly closing: Closing;
}

export async function run(name: string | undefined, options: RunOptions): Promise<void> {
  if (options.resume === true) {
    throw new KeyriteError("usage.refused", "resuming a ceremony is not available yet", {
      hints: ["keyrite status shows what is open; two people end it with keyrite run --abandon"],
    });
  }
  const start = systemClock.monotonic();
  const site = openSite(siteFolder(options.site), { write: true });
  const hsm = createHsm({
    setEnvironment,
    random: systemRandom,
    monotonic: () => systemClock.monotonic(),
  });
  let opened: OpenedConsole | undefined;
  try {
    opened = openConsole(site.genesis.assurance, options);
    const ended = await conduct(site, hsm, opened, name, options);
    opened.console.finish();
    const timings = {
      pkcs11Ms: Math.round(hsm.counters.milliseconds),
      kdfMs: Math.round(kdfMilliseconds()),
      waitMs: Math.round(opened.console.waitedMs),
      totalMs: Math.round(systemClock.monotonic() - start),
    };
    report(site, ended, options.json === true, timings);
  } finally {
    opened?.close();
    await hsm.close();
    site.ledger.close();
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
  if (options.abandon === true) {
    if (open === null) {
      throw new KeyriteError("usage.refused", "no ceremony is open at this site", {
        hints: ["there is nothing to abandon; keyrite status shows every ceremony"],
      });
    }
    const people = await whoAbandons(hall, recorder, open);
    const closing = await abandonOpen(hall, recorder, open, people);
    return { ceremony: open.id, state: "abandoned", closing };
  }
  if (open !== null) throw stillOpen(open);
  if (name === undefined) {
    throw new KeyriteError("usage.bad-option", "name the script to run", {
      hints: ["for example keyrite run generate-root-ca --set key=root-g1"],
    });
  }
  const file = findScript(name);
  inputs.set(file.path, file.bytes);
  const set = { ...opened.set, ...readSetOptions(options.set) };
  const plan = requirePlan(await planOnSite(site, file, set), file);
  const ceremony = ceremonyId(plan.script.name);
  const { closing } = await new Conductor(hall, recorder, plan, ceremony).conduct();
  return { ceremony, state: "closed", closing };
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
    hsm,
    clock: systemClock,
    random: systemRandom,
    vocabulary: site.vocabulary,
    software: software(),
    medium: mediumSource(opened.console, media),
    files: siteFiles(site.folder),
    outbox: (ceremony) => outbox(site.folder, ceremony),
    changedInput: () => changedInput(inputs),
    interrupted: () => opened.interrupted(),
  };
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

function stillOpen(open: CeremonyRecord): KeyriteError {
  const code = open.doubt === null ? "halted.ceremony-open" : "halted.in-doubt";
  return new KeyriteError(code, `ceremony ${open.id} is still open`, {
    hints: [
      ...findingLines(open),
      "inspect what it left behind; then two people end it with keyrite run --abandon",
    ],
  });
}

/** Two people or more of the roster who say that they are here to abandon a ceremony. */
async function whoAbandons(
  hall: Hall,
  recorder: Recorder,
  open: CeremonyRecord,
): Promise<readonly Participant[]> {
  for (const line of findingLines(open)) hall.console.tell(line);
  const here: Participant[] = [];
  for (const { person, roles, card } of recorder.history.custody.people.values()) {
    const able = roles.filter((role) => !ONLOOKERS.includes(role));
    if (able.length === 0) continue;
    const answer = await hall.console.choose({
      step: "abandon",
      id: "present",
      to: { person, name: card.name },
      text: "are you present to abandon this ceremony, and in which role?",
      choices: [
        ...able.map((role) => ({ value: role, label: role })),
        { value: "absent", label: "not present" },
      ],
      preset: "absent",
    });
    const role = able.find((r) => r === answer);
    if (role !== undefined) here.push({ person, role, card });
  }
  if (here.length >= 2) return here;
  throw new KeyriteError(
    "people.quorum-not-met",
    `abandoning needs two different people, ${here.length === 0 ? "none is" : "one is"} present`,
    { hints: ["call a second person of the roster, then keyrite run --abandon again"] },
  );
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

function report(
  site: OpenSite,
  ended: Ended,
  json: boolean,
  timings: Readonly<Record<string, number>>,
): void {
  const { ceremony, state, closing } = ended;
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
    timings,
    peakRssMiB: peakRssMiB(),
  });
}
