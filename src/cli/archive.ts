/** `keyrite archive`: closes a period with a bundle that names the archive before it. Nothing is ever deleted. */

import { resolve } from "node:path";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { ARCHIVE, LONGEST_ARCHIVE, readArchive, type PreviousArchive } from "../report/archive.ts";
import { MANIFEST } from "../report/bundle-manifest.ts";
import { checkListing } from "./bundle-check.ts";
import { openBundle } from "./bundle-source.ts";
import { exportBundle, type ExportOptions } from "./export.ts";

export interface ArchiveOptions extends Omit<ExportOptions, "archive" | "ledger"> {
  readonly after?: string;
}

/**
 * Archives the ledger as it stands; the ledger goes on.
 * @throws KeyriteError halted.ceremony-open, ledger.not-trusted, ledger.forked; as `exportBundle`
 */
export async function archive(place: string, options: ArchiveOptions): Promise<void> {
  const before = options.after === undefined ? null : previousArchive(resolve(options.after));
  await exportBundle(place, { ...options, archive: { before } });
}

/** The archive at a place, a folder or a .tar, as the next one names it. */
function previousArchive(place: string): PreviousArchive {
  const source = openBundle(place);
  if (source === undefined) throw notOne(place, "it is no bundle");
  try {
    const { manifest, findings } = checkListing(source);
    const [finding] = findings;
    if (finding !== undefined || manifest === undefined) throw notOne(place, finding?.text ?? "");
    if (!source.sizes.has(ARCHIVE)) throw notOne(place, `it holds no ${ARCHIVE}`);
    const read = readArchive(source.read(ARCHIVE, LONGEST_ARCHIVE));
    if (typeof read === "string") throw notOne(place, read);
    const { size, root } = manifest;
    return { bundle: sha256Hex(source.read(MANIFEST, 1 << 26)), number: read.number, size, root };
  } finally {
    source.close();
  }
}

function notOne(place: string, problem: string): KeyriteError {
  return new KeyriteError("usage.bad-file", `${place} is not an archive: ${problem}`, {
    hints: ["give the folder or .tar that keyrite archive made last"],
  });
}
