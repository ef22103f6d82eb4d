/** `keyrite identity`: makes a person's sealed identity on their medium; prints its public card. */

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Addressee, OperatorConsole } from "../console/console.ts";
import { equalBytes, fromHex, fromUtf8, groupedHex, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import { passphraseWords, spokenWords } from "../lib/words.ts";
import { cardDigest, formatCard, type Assurance, type Card } from "../people/card.ts";
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
  if (!Number.isSafeInteger(logN) || logN < 10 || logN > 22) {
    throw new KeyriteError("usage.bad-option", "--log-n must be a whole number from 10 to 22");
  }
  const folder = resolve(options.medium);
  mkdirSync(folder, { recursive: true });
  const medium = openMedium(folder, options.person);
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
  } finally {
    opened.close();
  }
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
  console.tell("Write these six words down where only you can read them. They are shown once:");
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
      text: "type the six words to show that you have them",
    });
    const same = words.use((a) => typed.use((b) => equalBytes(a, b)));
    typed.wipe();
    if (same) return words;
    console.warn("that is not the passphrase that was shown; try again");
  }
}

async function typeOwn(console: OperatorConsole, to: Addressee): Promise<Secret> {
  for (;;) {
    const typed = await askNew(console, to, "your new passphrase");
    if (typed.length >= SHORTEST_PASSPHRASE) return typed;
    typed.wipe();
    console.warn(
      `a passphrase has at least ${SHORTEST_PASSPHRASE} characters; four words are better`,
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
  printLine(fromUtf8(formatCard(card)));
  tellLine(`${visible(card.name)} (${card.person}), ${card.assurance}`);
  tellLine(`Card ${groupedHex(digest)}`);
  tellLine(
    `     ${spokenWords(fromHex(digest) ?? new Uint8Array())
      .slice(0, 8)
      .join(" ")} …`,
  );
}
