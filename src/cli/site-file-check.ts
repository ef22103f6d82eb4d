/** Files of the site that custody counts on: share sets of tokens in use, and envelopes of KEKs. */

import { kekName } from "../ceremony/custody-copies.ts";
import { shareSetName, type Custody } from "../ceremony/custody.ts";
import type { SiteFiles } from "../ceremony/capabilities.ts";
import { envelopeName } from "../backups/kek-file.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";

interface Counted {
  /** Below the site's folder, as people look for it. */
  readonly name: string;
  readonly sha256: string;
  readonly read: (files: SiteFiles) => Promise<Uint8Array>;
}

/** What is lost or altered of them, one sentence each. A file is compared with the digest on record. */
export async function lostFiles(files: SiteFiles, custody: Custody): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const { name, sha256, read } of counted(custody)) {
    try {
      const found = sha256Hex(await read(files));
      if (found !== sha256) lost.push(`${name} is not the file on record: its digest is ${found}`);
    } catch (error) {
      lost.push(`${name}: ${messageOf(error)}`);
    }
  }
  return lost;
}

/** How many files `lostFiles` looks at. */
export function countedFiles(custody: Custody): number {
  return counted(custody).length;
}

function counted(custody: Custody): readonly Counted[] {
  return [...shareSetFiles(custody), ...envelopes(custody)];
}

function shareSetFiles({ shareSets, tokens }: Custody): readonly Counted[] {
  return [...shareSets.values()].flatMap((set): readonly Counted[] => {
    // Nobody needs the shares of a token that is retired.
    if (set.purpose !== "kek" && !tokens.has(set.token)) return [];
    const folder = shareSetName(set);
    return (
      [
        ["share-set.json", set.sha256],
        ["sealed.age", set.sealed],
      ] as const
    ).map(([file, sha256]) => ({
      name: `share-sets/${folder}/${file}`,
      sha256,
      read: (files) => files.readShareSetFile(folder, file),
    }));
  });
}

function envelopes({ keks }: Custody): readonly Counted[] {
  return [...keks.values()].flatMap((kek) =>
    [...kek.envelopes.values()].map(({ token, sha256 }): Counted => {
      const file = envelopeName(token);
      const folder = kekName(kek);
      const name = `keks/${folder}/${file}`;
      return { name, sha256, read: (files) => files.readKekFile(folder, file) };
    }),
  );
}
