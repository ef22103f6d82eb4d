/** The other site of the demo: made by the same commands, it hands over what `trust-site` adopts. */

import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { headName } from "../people/medium.ts";
import { makeFolders } from "../lib/files.ts";

export const PEER_ORIGIN = "pki.example.org/other/test";

export interface PeerParts {
  /** Folder of the whole demo. */
  readonly folder: string;
  /** Medium of somebody who cosigned the other site's head. */
  readonly medium: string;
  /** Options of `init` that name founders and policy. */
  readonly founding: readonly string[];
  /** Answers of the rehearsed founding. */
  readonly answers: string;
  readonly keyrite: (...parts: readonly (readonly string[])[]) => void;
}

/** Makes another site of the same people, founds it, and puts its papers into the vault offsite. */
export function handOverPeer({ folder, medium, founding, answers, keyrite }: PeerParts): void {
  const site = join(folder, "other-site");
  keyrite(["init", "--site", site, "--origin", PEER_ORIGIN, ...founding]);
  keyrite(["run", "establish-site", "--site", site, "--answers", answers]);
  const peer = join(folder, "vaults", "offsite", "peer");
  makeFolders(peer);
  copyFileSync(join(site, "genesis.json"), join(peer, "genesis.json"));
  copyFileSync(join(medium, "heads", headName(PEER_ORIGIN)), join(peer, "checkpoint"));
}

/** The other site goes on for one ceremony and writes a request for a cosignature; returns its path. */
export function growPeer({
  folder,
  answers,
  keyrite,
}: Omit<PeerParts, "medium" | "founding">): string {
  const site = join(folder, "other-site");
  const adopted = readFileSync(join(folder, "vaults", "offsite", "peer", "checkpoint"), "utf8");
  const [, size = "0"] = adopted.split("\n");
  const out = join(folder, "other.request");
  keyrite(["run", "record-deviation", "--site", site, "--answers", answers]);
  keyrite(["cosign", "request", "--site", site, "--old", size, "--out", out]);
  return out;
}
