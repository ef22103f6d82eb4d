/** Two sites of one organisation: one that made a backup, and one that shall believe it. */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { writeProofs } from "../../src/ceremony/backup-proofs.ts";
import type { PeerCustody } from "../../src/ceremony/custody-copies.ts";
import type { ForeignPapers } from "../../src/ceremony/foreign-backup.ts";
import { parseCheckpoint } from "../../src/ledger/checkpoint.ts";
import { hex } from "../../src/lib/encoding.ts";
import { parseNote } from "../../src/lib/note.ts";
import { backedUp, backupStage, newestBackup } from "./backup-stage.ts";
import { CAST, ESTABLISH, ROLL, script, STEP } from "./stage-scripts.ts";
import { BINDINGS, FOUNDERS, POLICY } from "./stage-site.ts";
import { Stage, type Cast } from "./stage.ts";

export const OTHER_ORIGIN = "example.org/dc2/test";

const ENROL_FAY = STEP.enroll.replace("roles: [custodian]", "roles: [ceremony-administrator]");

/** Fay, who was enrolled after the founding, stands in for Ana. */
export const WITH_FAY: Cast = {
  present: {
    fay: "ceremony-administrator",
    ...Object.fromEntries(Object.entries(ROLL).filter(([person]) => person !== "ana")),
  },
};

/** A site that enrolled fay, and whose newest backup fay and eve signed; its proofs are written. */
export async function siteWithBackup(): Promise<Stage> {
  const stage = await backupStage();
  await stage.run(script([STEP.clock, ENROL_FAY]), CAST);
  await stage.run(backedUp(["root-g1"]), WITH_FAY);
  await proveNewest(stage);
  return stage;
}

/** Writes the proofs of the newest backup, as `keyrite run` does after the close. */
export async function proveNewest(stage: Stage): ReturnType<typeof writeProofs> {
  const { ledger, history, site } = stage;
  const { genesis, genesisBytes } = site;
  const provable = { genesis, genesisBytes, ledger, history };
  return writeProofs(provable, stage.hall().vaults, newestBackup(stage).backup);
}

/** An established site of another origin. */
export async function otherSite(): Promise<Stage> {
  const stage = await Stage.create(FOUNDERS, POLICY, BINDINGS, OTHER_ORIGIN);
  await stage.run(ESTABLISH, CAST);
  after(() => {
    stage.remove();
  });
  return stage;
}

/** The folder of the newest backup. */
export function newestFolder(stage: Stage): string {
  return join(stage.vaults.get("onsite") ?? "", newestBackup(stage).backup);
}

/** The papers of the newest backup as they lie in its vault. */
export function papersOf(stage: Stage): ForeignPapers {
  const folder = newestFolder(stage);
  const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(folder, name)));
  const text = (name: string): string => readFileSync(join(folder, name), "utf8");
  const names = readdirSync(join(folder, "proofs"));
  const proofs = names.filter((name) => name.endsWith(".tlog-proof"));
  const cards = names.filter((name) => name.endsWith(".card.json"));
  return {
    manifest: read("backup.json"),
    note: read("backup.note"),
    proofs: {
      genesis: read("proofs/genesis.json"),
      checkpoint: text("proofs/checkpoint"),
      proofs: proofs.map((name) => text(`proofs/${name}`)),
      cards: cards.map((name) => read(`proofs/${name}`)),
    },
  };
}

/** What another site adopted of this one: its present head. */
export function peerOf({ site: { genesis } }: Stage, checkpoint: string): PeerCustody {
  const { size, root } = parseCheckpoint(parseNote(checkpoint).text);
  return {
    origin: genesis.origin,
    genesis: genesis.sha256,
    ledgerKey: genesis.ledgerKey,
    checkpoint: "0".repeat(64),
    size,
    root: hex(root),
  };
}

/** Hands a site's proofs over to another, in the folder `peer` of its vault offsite. */
export function handOver(from: Stage, to: Stage): string {
  const peer = join(to.vaults.get("offsite") ?? "", "peer");
  rmSync(peer, { recursive: true, force: true });
  mkdirSync(peer);
  cpSync(join(newestFolder(from), "proofs"), peer, { recursive: true });
  return peer;
}
