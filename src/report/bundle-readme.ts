/** README.txt of a bundle: what lies in it, and how to check it with Keyrite, without it, and in ten years. */

import { visible } from "../lib/encoding.ts";
import type { BundleReading } from "./bundle-reading.ts";

/** Plain text, the same for the same ledger. */
export function bundleReadme({ genesis, history, root }: BundleReading): string {
  const test =
    genesis.assurance === "test" ? ["TEST - not the record of a production site", ""] : [];
  return `${[
    `Evidence bundle of the ledger ${visible(genesis.origin)}`,
    "",
    ...test,
    `entries      ${history.size}`,
    `cosigned     ${history.cosigned}`,
    `root         ${root}`,
    `last entry   ${history.lastTime ?? ""}`,
    `genesis      ${genesis.sha256}`,
    "",
    "TO CHECK IT",
    "",
    "  keyrite verify FOLDER --trust YOUR-trust.txt --head A-HEAD-SOMEBODY-CARRIES",
    "  python3 verify.py . --trust YOUR-trust.txt      needs Python 3 and nothing else",
    "",
    "Take neither trust file nor verify.py from here when it matters: what comes with a",
    "bundle cannot vouch for it. Trust begins with the genesis sheet that the founders",
    "signed in ink, and with a head that somebody carried away.",
    "",
    "WHAT LIES HERE",
    "",
    "  bundle.json     every file with its SHA-256; its own digest names the bundle",
    "  ledger.db       the whole ledger, SQLite 3",
    "  checkpoint tile/  the ledger as C2SP tlog-tiles, for any tile reader",
    "  checkpoints/    every checkpoint that people cosigned",
    "  controls.json   where the proof of each class of events stands, or that it is missing",
    "  report.*        the report, where this build prints one",
    "  tools.json      software and modules that ran",
    "  ceremonies/     script, plan, bindings and policy of each ceremony",
    "  cards/ keys/ certificates/ crls/ backups/ share-sets/ drills/ policies/ peers/",
    "                  documents that the ledger cites by digest, under readable names",
    "  trust.txt       a copy of the trust file",
    "",
    "No private key, wrapped key, share or PIN is in it, in any form.",
    "Formats: https://c2sp.org/tlog-tiles and the pages docs/formats/ of Keyrite.",
  ].join("\n")}\n`;
}
