/**
 * Adopts another site: its genesis, compared with the signed sheet by two people aloud, and the newest
 * checkpoint that its people cosigned. From then on backups that it made may be restored here.
 */

import { defineAction, type Participant, type Room, type Subject } from "../ceremony/action.ts";
import { vaultIsBound } from "../ceremony/conditions-copies.ts";
import { condition, type Condition } from "../ceremony/conditions.ts";
import type { PeerCustody } from "../ceremony/custody-copies.ts";
import type { FactOf } from "../ceremony/facts.ts";
import { assuranceOf, originSchema, readGenesis, type Genesis } from "../ceremony/genesis.ts";
import { readProofs, type ProofFiles } from "../ceremony/proof-folder.ts";
import { proveLedger, type ProvenLedger } from "../ceremony/proven-ledger.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { label } from "../ceremony/words.ts";
import { fromHex, hex, utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { formatVerifierKey, verifierKey } from "../lib/note.ts";
import { z } from "../lib/schema.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () => z.strictObject({ origin: originSchema, from: label });
type Params = z.infer<ReturnType<typeof params>>;

/** Folder in the vault that holds what the other site handed over. */
const FOLDER = "peer";

/** The public key of RFC 8032 §7.1, test 1: it stands for one that is not known yet. */
const SOME_KEY =
  fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a") ?? new Uint8Array();

interface Adopted extends JsonObject {
  readonly origin: string;
  readonly genesis: string;
  readonly ledgerKey: string;
  readonly checkpoint: string;
  readonly size: number;
  readonly root: string;
  /** Who of the other site's people vouches for the checkpoint. */
  readonly cosigners: readonly string[];
  /** SHA-256 of the proofs of enrolments and of cards, which are attached. */
  readonly proofs: readonly string[];
}

export const trustSite = defineAction<Params, Adopted, Adopted>({
  name: "trust-site",
  control: "dual",
  params,
  facts: ["site.trusted"],
  instruction: (p) =>
    `Adopt the site ${p.origin} from vault ${p.from}: read the words of its genesis aloud and compare them with its signed genesis sheet.`,
  requires: (p) => [vaultIsBound(p.from, "from"), isAnotherSite(p.origin)],
  forecast: (p, custody) => {
    const known = custody.peers.get(p.origin) ?? unknownPeer(p.origin);
    const { origin, genesis, ledgerKey, checkpoint, size, root } = known;
    const head = { checkpoint, size, root };
    return { origin, genesis, ledgerKey, ...head, cosigners: [], proofs: [] };
  },
  establishes: (_, evidence) => [factOf(evidence)],
  admits: (p, subject, fact) => {
    if (fact.kind !== "site.trusted" || fact.origin !== p.origin) return false;
    const agreed = factOf(subject);
    return (Object.keys(agreed) as (keyof typeof agreed)[]).every(
      (name) => fact[name] === agreed[name],
    );
  },
  subject: adopt,
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("Nothing but the record was to be made."),
});

/** The peer is another site, and of the same assurance, which an origin tells. */
function isAnotherSite(origin: string): Condition {
  return condition("origin", ({ custody }) => {
    if (origin === custody.origin) return `${origin} is this very site`;
    const theirs = assuranceOf(origin);
    return (
      theirs !== custody.assurance &&
      `${origin} is a ${theirs} site, this is a ${custody.assurance} site; they never trust each other`
    );
  });
}

/** A site as planning foresees it, before anybody has seen its papers. */
function unknownPeer(origin: string): PeerCustody {
  const nobody = "0".repeat(64);
  const ledgerKey = formatVerifierKey(verifierKey(origin, "ed25519", SOME_KEY));
  return { origin, genesis: nobody, ledgerKey, checkpoint: nobody, size: 1, root: nobody };
}

function factOf(adopted: Adopted): FactOf<"site.trusted"> {
  const { origin, genesis, ledgerKey, checkpoint, size, root } = adopted;
  return { kind: "site.trusted", origin, genesis, ledgerKey, checkpoint, size, root };
}

async function adopt(p: Params, room: Room): Promise<Subject<Adopted>> {
  const files = await readProofs(await room.vaults.open(p.from, FOLDER), "");
  const genesis = readGenesis(files.genesis);
  refuseGenesis(p, genesis);
  const { ledger, problems } = proveLedger(files, genesis.sha256);
  if (ledger === undefined) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `what vault ${p.from} holds of ${p.origin} is refused: ${problems[0] ?? "it proves nothing"}`,
      { hints: [...problems.slice(1, 4), "ask the other site for the proofs of its newest head"] },
    );
  }
  const root = hex(ledger.checkpoint.root);
  const before = room.custody.peers.get(p.origin);
  if (before !== undefined) refuseOtherHistory(before, genesis, ledger.checkpoint.size, root);
  await compareWords(room, genesis);
  return {
    data: {
      ...{ origin: genesis.origin, genesis: genesis.sha256, ledgerKey: genesis.ledgerKey },
      checkpoint: room.attach("text/plain", utf8(files.checkpoint)),
      size: ledger.checkpoint.size,
      root,
      cosigners: ledger.cosigners,
      proofs: attach(room, files),
    },
    shown: shownLines(ledger, root, before),
  };
}

/** Attaches what the adoption rests on; the checkpoint is attached by itself. */
function attach(room: Room, files: ProofFiles): readonly string[] {
  room.attach("application/json", files.genesis);
  return [
    ...files.proofs.map((proof) => room.attach("text/plain", utf8(proof))),
    ...files.cards.map((card) => room.attach("application/json", card)),
  ];
}

// That the origin is another site's, and of this assurance, planning has required of the step.
function refuseGenesis({ origin, from }: Params, genesis: Genesis): void {
  if (genesis.origin === origin) return;
  throw new KeyriteError(
    "ledger.not-trusted",
    `vault ${from}, ${FOLDER}: it is the genesis of ${genesis.origin}, not of ${origin}`,
    { hints: ["look for the folder that the right site handed over"] },
  );
}

// Without a consistency proof only this much of "one history" can be told; the rest is said aloud.
function refuseOtherHistory(
  before: PeerCustody,
  genesis: Genesis,
  size: number,
  root: string,
): void {
  const problem =
    genesis.sha256 !== before.genesis
      ? "its genesis is another than the one adopted before"
      : size < before.size
        ? `its head has ${size} entries, the one adopted before has ${before.size}`
        : size === before.size && root !== before.root
          ? `its head of size ${size} is not the one adopted before`
          : undefined;
  if (problem === undefined) return;
  throw new KeyriteError("ledger.forked", `${before.origin} shows two histories: ${problem}`, {
    hints: ["stop: nothing of that site is trusted before its auditor has explained this"],
  });
}

/** Both people say by name that the words are those of the sheet. */
async function compareWords(room: Room, { origin, sha256 }: Genesis): Promise<void> {
  const [reader, listener] = room.people.performers;
  if (reader === undefined || listener === undefined) throw new Error("a dual step for one person");
  for (const line of digestLines(`Genesis of ${origin}`, sha256)) room.console.tell(line);
  room.console.tell(
    `${visible(reader.card.name)} reads these words aloud; ${visible(listener.card.name)} compares them with the signed genesis sheet of ${origin}.`,
  );
  for (const person of [reader, listener]) await confirm(room, person, origin);
}

async function confirm(room: Room, who: Participant, origin: string): Promise<void> {
  const answer = await room.console.ask({
    id: "words-heard",
    to: { person: who.person, name: who.card.name },
    text: `are all words those of the signed genesis sheet of ${origin}? Type yes or no`,
    check: (text) => (text === "yes" || text === "no" ? undefined : "type yes or no"),
  });
  if (answer === "yes") return;
  throw new KeyriteError(
    "people.declined",
    `${who.person} did not confirm the genesis of ${origin}`,
    { hints: ["get the signed sheet, or a true copy of it, from the other site's people"] },
  );
}

function shownLines(
  ledger: ProvenLedger,
  root: string,
  before: PeerCustody | undefined,
): readonly string[] {
  const { genesis, checkpoint, cosigners } = ledger;
  return [
    ...digestLines(`Genesis of ${genesis.origin} (${genesis.assurance})`, genesis.sha256),
    `Ledger key: ${genesis.ledgerKey}`,
    `Head of size ${checkpoint.size}, root ${root}, cosigned by ${cosigners.join(", ")}.`,
    ...(before === undefined || before.size === checkpoint.size
      ? []
      : [
          `Not proven: that it extends the head of size ${before.size} that was adopted here before.`,
        ]),
    `From now on keys that ${genesis.origin} backed up may be restored here.`,
  ];
}
