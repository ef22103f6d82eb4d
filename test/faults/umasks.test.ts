/** S07: every kind of file that Keyrite writes has the mode that is meant for it, under whatever umask it was started. */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { figure, FULL } from "../support/fault-run.ts";
import { preparedFor, shippedInOrder } from "../support/shipped.ts";
import {
  CEREMONIES,
  FOUNDERS,
  initOptions,
  newFolder,
  RehearsedSite,
  succeeded,
  VAULTS,
  type Ran,
  type RunOptions,
} from "../support/rehearsed-site.ts";

const UMASKS = FULL ? ["000", "002", "007", "022", "027", "037", "066", "077"] : ["000", "077"];

/** Runs everything under one umask. */
class MaskedSite extends RehearsedSite {
  readonly #umask: string;

  constructor(folder: string, umask: string) {
    super(folder);
    this.#umask = umask;
  }

  override keyrite(args: readonly string[], options: RunOptions = {}): Ran {
    const under = ["sh", "-c", `umask ${this.#umask}; exec "$@"`, "sh"];
    return super.keyrite(args, { ...options, under });
  }

  // Its own way to the command would not pass by the umask.
  override makeIdentity(person: string, name = person): Ran {
    const words = ["identity", "new", "--medium", this.medium(person), "--person", person];
    const answers = ["--answers", join(CEREMONIES, "people.yaml")];
    return this.keyrite([...words, "--name", name, "--domain", "example.org", ...answers]);
  }
}

/** Kinds of what is written, by where it stands; the first that fits. */
const KINDS: readonly (readonly [kind: string, at: RegExp, mode: number])[] = [
  ["ledger key", /^site\/ledger\.key$/, 0o600],
  ["ledger", /^site\/ledger\.db$/, 0o644],
  ["site's own", /^site\/(genesis|policy|site|trust)[^/]*$/, 0o644],
  ["share sets", /^site\/share-sets\//, 0o644],
  ["envelopes", /^site\/keks\//, 0o644],
  ["transcripts", /^site\/transcripts\/.+\.txt$/, 0o644],
  ["outbox", /^site\/outbox\//, 0o644],
  ["identities", /^media\/.+\/identity\.age$/, 0o644],
  ["cards", /^media\/.+\/card\.json$/, 0o644],
  ["shares", /^media\/.+\.share\.age$/, 0o644],
  ["sealed PINs", /^media\/.+\/sealed\/[^/]+\.age$/, 0o644],
  ["heads", /^media\/.+\/heads\/[^/]+\.note$/, 0o644],
  ["backups", /^vaults\/[^/]+\/[^/]+\//, 0o644],
  ["bundle", /^out\/bundle\//, 0o644],
  ["archive", /^out\/[^/]+\.tar$/, 0o644],
  ["reports", /^out\/report\.(html|md)$/, 0o644],
  ["proof", /^out\/[^/]+\.tlog-proof$/, 0o644],
];

/** The folders and files of a site, its media, vaults and what was written of it; not the module's own. */
function written(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) =>
      /^(site|media|vaults|out)\//.test(path) &&
      !/^(vaults\/[^/]+|site\/(tokens|\..*|.*\.lock)(\/.*)?|media)$/.test(path),
  );
}

test("S07: files and folders have their modes under every umask, and a folder open to others is refused", () => {
  const counts = { umasks: 0, kinds: KINDS.length, files: 0, folders: 0, wrong: 0, refused: 0 };
  const wrong: string[] = [];
  for (const umask of UMASKS) {
    const site = new MaskedSite(newFolder(), umask);
    for (const vault of VAULTS) mkdirSync(site.vault(vault), { recursive: true });
    for (const person of Object.keys(FOUNDERS)) succeeded(site.makeIdentity(person));
    succeeded(site.keyrite(["init", "--site", site.site, ...initOptions(site)]));
    for (const ceremony of shippedInOrder(["generate-root-ca", "back-up-ca-keys"])) {
      succeeded(site.rehearse(ceremony, undefined, preparedFor(site, ceremony)));
    }
    const out = (name: string): string => join(site.folder, "out", name);
    succeeded(site.keyrite(["export", out("bundle"), "--tar", out("bundle.tar")]));
    const last = site.entries().findLast(({ type }) => type === "ceremony.opened");
    for (const page of ["report.html", "report.md"]) {
      succeeded(site.keyrite(["report", last?.ceremony ?? "", "--out", out(page)]));
    }
    succeeded(site.keyrite(["prove", "3", "--out", out("entry.tlog-proof")]));

    const seen = new Set<string>();
    for (const path of written(site.folder)) {
      const status = statSync(join(site.folder, path));
      const mode = status.mode & 0o7777;
      if (status.isDirectory()) {
        counts.folders += 1;
        if (mode !== 0o755) wrong.push(`${path} has ${mode.toString(8)} under ${umask}`);
        continue;
      }
      const kind = KINDS.find(([, at]) => at.test(path));
      if (kind === undefined) {
        wrong.push(`${path} is of no kind, ${mode.toString(8)}`);
        continue;
      }
      counts.files += 1;
      seen.add(kind[0]);
      if (mode !== kind[2]) wrong.push(`${path} has ${mode.toString(8)} under ${umask}`);
    }
    assert.deepEqual(
      KINDS.map(([kind]) => kind).filter((kind) => !seen.has(kind)),
      [],
    );
    for (const mode of [0o775, 0o757, 0o777, 0o2775]) {
      chmodSync(site.site, mode);
      const ran = site.rehearse("record-deviation");
      assert.match(ran.stderr, /site\.permissions, exit 2/);
      counts.refused += 1;
    }
    counts.umasks += 1;
  }
  counts.wrong = wrong.length;
  figure("S07", "modes of what is written under every umask", counts);
  assert.deepEqual(wrong, []);
});
