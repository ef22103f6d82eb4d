/**
 * `keyrite cosign`: lets an auditor, or somebody of the other site, countersign a ledger's head later and
 * elsewhere: the request goes out on a medium, the answer comes back, nobody meets.
 */

import { resolve } from "node:path";
import { digestLines } from "../ceremony/spoken.ts";
import { PeopleInStep } from "../ceremony/people-in-step.ts";
import { parseCheckpoint, type Checkpoint } from "../ledger/checkpoint.ts";
import {
  formatRequest,
  judgeAnswer,
  judgeRequest,
  LONGEST_REQUEST,
  parseRequest,
  type WitnessRequest,
} from "../ledger/witness.ts";
import type { StoredCheckpoint } from "../ledger/store.ts";
import { fromUtf8, hex, utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded, writeNewFile } from "../lib/files.ts";
import { parseNote, parseVerifierKey, type VerifierKey } from "../lib/note.ts";
import { cardKey } from "../people/card.ts";
import { openMedium, type Medium } from "../people/medium.ts";
import { openConsole, type OpenedConsole } from "./consoles.ts";
import { printJson, tellLine } from "./output.ts";
import { openSite, siteFolder, type OpenSite } from "./site.ts";
import { systemClock } from "./system.ts";
import { readTrust } from "./verify.ts";

const STEP = "cosign";

export interface CosignRequestOptions {
  readonly site?: string;
  readonly old?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** Writes a request for a cosignature on the newest checkpoint. @throws KeyriteError usage.* */
export function cosignRequest(options: CosignRequestOptions): Promise<void> {
  const site = openSite(siteFolder(options.site), { write: false });
  try {
    const { ledger } = site;
    const checkpoint = ledger.checkpoint();
    if (checkpoint === undefined || ledger.size === 0) {
      throw new KeyriteError("usage.refused", "the ledger is empty: there is nothing to cosign");
    }
    const old = sizeOption(options.old, ledger.size);
    const hashes =
      old === 0 || old === ledger.size ? [] : ledger.consistencyProof(old, ledger.size);
    const lines = ledger.cosignatures(ledger.size).map(({ line }) => `${line}\n`);
    const request = formatRequest({ old, hashes, checkpoint: checkpoint + lines.join("") });
    writeNewFile(resolve(options.out), utf8(request), { mode: 0o644 });
    const root = hex(ledger.root());
    if (options.json === true) {
      printJson("cosign-request", { origin: ledger.origin, size: ledger.size, root, old });
      return Promise.resolve();
    }
    tellLine(`A request for the head of ${ledger.origin}, size ${ledger.size}, from ${old} on.`);
    for (const line of digestLines("Root", root)) tellLine(line);
    tellLine("Next: the cosigner runs keyrite cosign sign on it, with their medium.");
  } finally {
    site.ledger.close();
  }
  return Promise.resolve();
}

function sizeOption(text: string | undefined, most: number): number {
  const size = Number(text ?? "0");
  if (/^[0-9]{1,15}$/.test(text ?? "0") && size <= most) return size;
  throw new KeyriteError("usage.bad-option", `--old ${String(text)} is no size up to ${most}`, {
    hints: ["the size of the head that the cosigner carries; 0 for somebody who carries none"],
  });
}

export interface CosignSignOptions {
  readonly medium: string;
  readonly trust?: string;
  readonly out: string;
  readonly answers?: string;
  readonly answersFd?: string;
  readonly json?: boolean;
}

/**
 * Answers a request with the identity on a medium, and leaves the new head there before the answer is
 * written: a cosigner never vouches for less than they have seen (tlog-witness).
 */
export async function cosignSign(file: string, options: CosignSignOptions): Promise<void> {
  const request = parseRequest(fromUtf8(readBounded(file, LONGEST_REQUEST)));
  const medium = openMedium(resolve(options.medium));
  const card = medium.readCard();
  const { origin } = parseCheckpoint(parseNote(request.checkpoint).text);
  const key = ledgerKey(origin, options);
  const checkpoint = judgeRequest(request, headOn(medium, origin), key);
  const opened = openConsole(card.assurance, options);
  const people = peopleOf(opened, medium);
  try {
    showHead(opened, checkpoint, request);
    const participant = { person: card.person, role: "auditor", card } as const;
    const to = { person: card.person, name: card.name };
    const text = `do you cosign the head of ${origin}, size ${checkpoint.size}?`;
    if (!(await opened.console.agree({ step: STEP, id: "agree", to, text }))) {
      throw new KeyriteError("people.declined", `${card.person} declined to cosign`);
    }
    const { signer } = await people.identify(participant);
    const note = request.checkpoint;
    const line = signer.cosign(parseNote(note).text, Math.floor(systemClock.now() / 1000));
    medium.writeHead(origin, `${note}${line}\n`);
    writeNewFile(resolve(options.out), utf8(`${line}\n`), { mode: 0o644 });
    const { size } = checkpoint;
    if (options.json === true) printJson("cosign-sign", { origin, size, person: card.person });
    tellLine(`${visible(card.name)} cosigned, and carries this head now.`);
    tellLine("Next: take the answer back to the site: keyrite cosign accept.");
  } finally {
    people.end();
    opened.close();
  }
}

/** The trusted key of a ledger, out of a trust file. */
function ledgerKey(origin: string, options: CosignSignOptions): VerifierKey {
  const keys = (readTrust(options)?.keys ?? []).map(parseVerifierKey);
  const key = keys.find(({ name, type }) => name === origin && type === "ed25519");
  if (key !== undefined) return key;
  throw new KeyriteError(
    "ledger.not-trusted",
    `nothing here says which key signs for the ledger of ${visible(origin)}`,
    { hints: ["give its trust file, compared with the signed genesis sheet: --trust trust.txt"] },
  );
}

function headOn(medium: Medium, origin: string): Checkpoint | undefined {
  const head = medium.readHead(origin);
  return head === undefined ? undefined : parseCheckpoint(parseNote(head).text);
}

function peopleOf(opened: OpenedConsole, medium: Medium): PeopleInStep {
  return new PeopleInStep({
    console: opened.console,
    // Away from the site there is no ledger to record a mistyped passphrase in.
    recorder: { append: () => 0 },
    ceremony: STEP,
    step: STEP,
    medium: () => Promise.resolve(medium),
    attending: [],
    performers: [],
  });
}

function showHead(
  opened: OpenedConsole,
  { origin, size, root }: Checkpoint,
  { old }: WitnessRequest,
): void {
  const { console } = opened;
  console.heading(`Cosigning the head of ${visible(origin)}`);
  console.tell(
    old === 0
      ? `It has ${size} entries. You carry no head of it yet: compare these words with the site's.`
      : `It has ${size} entries and extends the ${old} that you vouched for before.`,
  );
  for (const line of digestLines("Root", hex(root))) console.tell(line);
}

export interface CosignAcceptOptions {
  readonly site?: string;
  /** Verifier keys of cosigners who are not on the roster. */
  readonly key: readonly string[];
  readonly json?: boolean;
}

/**
 * Keeps the cosignatures of an answer beside the ledger.
 * @throws KeyriteError ledger.not-trusted for a line of nobody known, or on no checkpoint of this ledger
 */
export function cosignAccept(file: string, options: CosignAcceptOptions): Promise<void> {
  const text = fromUtf8(readBounded(file, LONGEST_REQUEST));
  const site = openSite(siteFolder(options.site), { write: true });
  try {
    const newestFirst = (): readonly StoredCheckpoint[] => [...site.ledger.checkpoints()].reverse();
    const accepted = judgeAnswer(text, newestFirst, knownKeys(site, options.key));
    for (const { size, line } of accepted) site.ledger.addCosignatures(size, [line]);
    const cosigned = accepted.map(({ size, name }) => ({ size, name }));
    if (options.json === true) printJson("cosign-accept", { origin: site.ledger.origin, cosigned });
    else
      for (const { size, name } of cosigned) tellLine(`${name} cosigned the head of size ${size}.`);
  } finally {
    site.ledger.close();
  }
  return Promise.resolve();
}

function knownKeys({ history }: OpenSite, given: readonly string[]): readonly VerifierKey[] {
  const roster = [...history.custody.people.values()].map(({ card }) =>
    cardKey(card, "cosignature"),
  );
  return [...roster, ...given.map(cosignerKey)];
}

function cosignerKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key.type === "cosignature") return key;
  throw new KeyriteError("usage.bad-option", `--key ${key.name} is not the key of a cosigner`, {
    hints: ["a cosigner's verifier key stands on their card: keyrite identity show"],
  });
}
