/** `keyrite identity`: makes a person's sealed identity on their medium; prints its public card. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Addressee, OperatorConsole } from "../console/console.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { equalBytes, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { makeFolders } from "../lib/files.ts";
import type { Secret } from "../lib/secret.ts";
import { passphraseWords } from "../lib/words.ts";
import { cardDigest, type Assurance, type Card } from "../people/card.ts";
import { createIdentity } from "../people/identity.ts";
import { openMedium } from "../people/medium.ts";
import { openConsole } from "./consoles.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { systemRandom } from "./system.ts";

export interface IdentityNewOptions {
  readonly medium: string;
  readonly person: string;
  readonly name: string;
  readonly domain: string;
  readonly test?: boolean;
  readonly logN?: string;
  readonly answers?: string;
  readonly answersFd?: string;
  readonly json?: boolean;
}

const STEP = "identity";
const PRODUCTION_LOG_N = 17;
const TEST_LOG_N = 12;
const SHORTEST_PASSPHRASE = 8;

export async function identityNew(options: IdentityNewOptions): Promise<void> {
  // An identity made from an answers file is marked test from birth: its passphrase is on a disk.
  const test = options.test === true || options.answers !== undefined;
  const assurance: Assurance = test ? "test" : "production";
  const logN = Number(options.logN ?? (test ? TEST_LOG_N : PRODUCTION_LOG_N));
  if (!Number.isSafeInteger(logN) || logN < 10 || logN > 20) {
    throw new KeyriteError("usage.bad-option", "--log-n must be a whole number from 10 to 20");
  }
  const folder = resolve(options.medium);
  makeFolders(folder);
  const medium = openMedium(folder, options.person);
  refuseUsedMedium(folder);
  const opened = openConsole(assurance, options);
  const to = { person: options.person, name: options.name };
  try {
    const passphrase = await choosePassphrase(opened.console, to, options.answers !== undefined);
    const { person, name, domain } = options;
    const made = await createIdentity({
      person,
      name,
      domain,
      assurance,
      passphrase,
      logN,
      random: systemRandom,
    }).finally(() => {
      passphrase.wipe();
    });
    medium.writeIdentity(made.sealed, made.card);
    showCard(made.card, options.json === true);
    tellLine(`The identity is sealed in ${join(folder, "keyrite")}; card.json there is public.`);
    if (!test) tellLine("If the passphrase was shown on this screen, close this window now.");
    tellLine("Next: hand card.json to whoever founds the site or enrols you; keep the medium.");
  } catch (error) {
    throw outsideCeremony(error);
  } finally {
    opened.close();
  }
}

/** Before anybody chooses a passphrase for nothing. */
function refuseUsedMedium(folder: string): void {
  if (!existsSync(join(folder, "keyrite", "identity.age"))) return;
  throw new KeyriteError("people.medium", `${folder} already holds an identity`, {
    hints: [
      "an identity is never overwritten: use an empty medium",
      "keyrite identity show --medium DIR says whose it is",
    ],
  });
}

/** Nothing is recorded here, so an interruption is one like anywhere else. */
function outsideCeremony(error: unknown): unknown {
  if (!(error instanceof KeyriteError) || error.code !== "halted.interrupted") return error;
  return new KeyriteError("interrupted.by-operator", "interrupted: no identity was made", {
    hints: ["start again when you are ready"],
    cause: error,
  });
}

export function identityShow(options: {
  readonly medium: string;
  readonly json?: boolean;
}): Promise<void> {
  showCard(openMedium(resolve(options.medium)).readCard(), options.json === true);
  return Promise.resolve();
}

async function choosePassphrase(
  console: OperatorConsole,
  to: Addressee,
  scripted: boolean,
): Promise<Secret> {
  if (scripted) {
    return console.askSecret({
      step: STEP,
      id: "passphrase",
      to,
      purpose: "new",
      text: "a passphrase",
    });
  }
  const kind = await console.choose({
    step: STEP,
    id: "kind",
    to,
    text: "which passphrase will seal your identity?",
    choices: [
      { value: "words", label: "six generated words, shown once (recommended)" },
      { value: "own", label: "one of my own, typed twice" },
    ],
  });
  return kind === "words" ? showWords(console, to) : typeOwn(console, to);
}

async function showWords(console: OperatorConsole, to: Addressee): Promise<Secret> {
  const words = await passphraseWords(systemRandom, 6);
  console.tell("Alone at the screen, write these six words down. They are shown once:");
  // Straight from the secret's bytes to the terminal: never through a string.
  words.use((bytes) => {
    process.stderr.write("\n    ");
    process.stderr.write(bytes);
    process.stderr.write("\n\n");
  });
  for (;;) {
    const typed = await console.askSecret({
      step: STEP,
      id: "shown",
      to,
      purpose: "identity",
      text: "type the six words",
    });
    const same = words.use((a) => typed.use((b) => equalBytes(a, b)));
    typed.wipe();
    if (same) return words;
    console.warn("that is not what was shown: six words, small letters, one space between two");
  }
}

async function typeOwn(console: OperatorConsole, to: Addressee): Promise<Secret> {
  for (;;) {
    const typed = await askNew(console, to, "your new passphrase");
    if (typed.length >= SHORTEST_PASSPHRASE) return typed;
    typed.wipe();
    console.warn(
      `a passphrase has at least ${SHORTEST_PASSPHRASE} characters, better five or six random words`,
    );
  }
}

function askNew(console: OperatorConsole, to: Addressee, text: string): Promise<Secret> {
  return console.askSecret({ step: STEP, id: "passphrase", to, purpose: "new", text });
}

function showCard(card: Card, json: boolean): void {
  const digest = cardDigest(card);
  if (json) {
    printJson("identity", { card: { ...card }, sha256: digest });
    return;
  }
  const test = card.assurance === "test" ? ", for test sites only" : "";
  printLine(`${visible(card.name)} (${card.person}), known to notes as ${card.keyName}${test}`);
  for (const line of digestLines("Card, SHA-256", digest)) printLine(line);
}
