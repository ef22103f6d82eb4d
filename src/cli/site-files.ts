/** The parts of a site's folder that actions may read and write, and a ceremony's outbox. */

import { join } from "node:path";
import type { Outbox, SiteFiles } from "../ceremony/action.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import {
  makeFolder,
  readBounded,
  readIfPresent,
  removeEmptyFolder,
  removeFile,
  replaceFile,
  writeNewFile,
} from "../lib/files.ts";

const MEBIBYTE = 1 << 20;
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function plainName(name: string): string {
  if (PLAIN_NAME.test(name) && !name.includes("..")) return name;
  throw new KeyriteError("usage.bad-file", `"${name}" is not a plain file name`);
}

export function siteFiles(folder: string): SiteFiles {
  const setFolder = (set: string): string => join(folder, "share-sets", plainName(set));
  const kekFolder = (kek: string): string => join(folder, "keks", plainName(kek));
  return {
    read: (name) => attempt(() => readBounded(join(folder, plainName(name)), MEBIBYTE)),
    replacePolicy: (bytes) =>
      attempt(() => {
        replaceFile(join(folder, "policy.yaml"), bytes, { mode: 0o644 });
      }),
    writeShareSetFile: (set, name, bytes) =>
      attempt(() => {
        makeFolder(join(folder, "share-sets"), 0o755);
        makeFolder(setFolder(set), 0o755);
        writeNewFile(join(setFolder(set), plainName(name)), bytes, { mode: 0o644 });
      }),
    writeKekFile: (kek, name, bytes) =>
      attempt(() => {
        makeFolder(join(folder, "keks"), 0o755);
        makeFolder(kekFolder(kek), 0o755);
        writeNewFile(join(kekFolder(kek), plainName(name)), bytes, { mode: 0o644 });
      }),
    readKekFile: (kek, name) =>
      attempt(() => readBounded(join(kekFolder(kek), plainName(name)), MEBIBYTE)),
    replaceKekFile: (kek, name, bytes) =>
      attempt(() => {
        replaceFile(join(kekFolder(kek), plainName(name)), bytes, { mode: 0o644 });
      }),
    removeKekFiles: (kek, names) =>
      attempt(() => {
        for (const name of names) removeFile(join(kekFolder(kek), plainName(name)));
      }),
    readShareSetFile: (set, name) =>
      attempt(() => readBounded(join(setFolder(set), plainName(name)), MEBIBYTE)),
    removeShareSetFiles: (set, names) =>
      attempt(() => {
        for (const name of names) removeFile(join(setFolder(set), plainName(name)));
        removeEmptyFolder(setFolder(set));
      }),
  };
}

export function outbox(folder: string, ceremony: string): Outbox {
  const place = join(folder, "outbox", plainName(ceremony));
  return {
    writeOnce: (file, bytes) =>
      attempt(() => {
        makeFolder(join(folder, "outbox"), 0o755);
        makeFolder(place, 0o755);
        writeNewFile(join(place, plainName(file)), bytes, { mode: 0o644 });
        return sha256Hex(bytes);
      }),
    // A CRL of a hundred thousand entries has four mebibytes; nothing else is near that.
    readIfThere: (file) =>
      attempt(() => readIfPresent(join(place, plainName(file)), 64 * MEBIBYTE)),
    remove: (file) =>
      attempt(() => {
        removeFile(join(place, plainName(file)));
      }),
  };
}

// File work is synchronous so that its order is the order of the code; callers see promises.
function attempt<T>(act: () => T): Promise<T> {
  return new Promise((done) => {
    done(act());
  });
}
