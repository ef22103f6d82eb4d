/** Another site of the same people, for a rehearsed site to adopt. */

import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { headName } from "../../src/people/medium.ts";
import { CEREMONIES, initOptions, succeeded, type RehearsedSite } from "./rehearsed-site.ts";

export const PEER_ORIGIN = "pki.example.org/other/test";

/** Founds another site beside this one and puts what it hands over into the vault offsite. */
export function handOverPeer(site: RehearsedSite): string {
  const other = join(site.folder, "other-site");
  const answers = join(CEREMONIES, "establish-site", "answers.yaml");
  const founding = ["run", "establish-site", "--site", other, "--answers", answers];
  succeeded(site.keyrite(["init", "--site", other, ...initOptions(site, { origin: PEER_ORIGIN })]));
  succeeded(site.keyrite(founding));
  const peer = join(site.vault("offsite"), "peer");
  mkdirSync(peer);
  copyFileSync(join(other, "genesis.json"), join(peer, "genesis.json"));
  const head = join(site.medium("eve"), "heads", headName(PEER_ORIGIN));
  copyFileSync(head, join(peer, "checkpoint"));
  return other;
}

/**
 * Lets the other site go on for one ceremony and ask for a cosignature from the adopted head on; returns the
 * request's path.
 */
export function growPeer(site: RehearsedSite): string {
  const other = join(site.folder, "other-site");
  const answers = join(CEREMONIES, "record-deviation", "answers.yaml");
  const adopted = readFileSync(join(site.vault("offsite"), "peer", "checkpoint"), "utf8");
  const [, size = ""] = adopted.split("\n");
  succeeded(site.keyrite(["run", "record-deviation", "--site", other, "--answers", answers]));
  const out = join(site.folder, "other.request");
  succeeded(site.keyrite(["cosign", "request", "--site", other, "--old", size, "--out", out]));
  return out;
}
