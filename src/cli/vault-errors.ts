/** What goes wrong with folders and files of vaults, in the words of whoever keeps backups. */

import { diskTrouble } from "../lib/disk.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";

/** An error of the file system in the words of whoever keeps backups. */
export function vaultError(what: string, cause: unknown): KeyriteError {
  if (cause instanceof KeyriteError) return cause;
  const name = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  switch (name) {
    case "EROFS":
      return new KeyriteError("site.permissions", `cannot ${what}: the medium is read-only`, {
        hints: ["slide its write-protect switch, or mount it for writing; nothing was written"],
        cause,
      });
    case "EACCES":
    case "EPERM":
      return new KeyriteError("site.permissions", `cannot ${what}: this account has no right to`, {
        hints: ["give the account that runs ceremonies the right to write there"],
        cause,
      });
    case "EEXIST":
      return new KeyriteError("site.file-exists", `cannot ${what}: it exists already`, {
        hints: ["nothing is ever overwritten: look what it is before the step is tried again"],
        cause,
      });
    case "ENOENT":
      return new KeyriteError("usage.bad-file", `cannot ${what}: there is no such file`, {
        hints: ["is the medium still inserted, and the backup complete?"],
        cause,
      });
    case "ENOTDIR":
    case "ELOOP":
    case "ENXIO":
      return new KeyriteError("usage.bad-file", `cannot ${what}: something else is in its place`, {
        hints: ["links, pipes and devices are refused: look what lies there"],
        cause,
      });
    default: {
      const trouble = diskTrouble(cause);
      const hint = trouble?.hint ?? "is the medium full, or was it pulled out?";
      return new KeyriteError("site.disk", `cannot ${what}: ${trouble?.what ?? messageOf(cause)}`, {
        hints: [`${hint}; what was written is removed again`],
        cause,
      });
    }
  }
}

/** File work is synchronous so that its order is the order of the code; callers see promises. */
export function promised<T>(act: () => T): Promise<T> {
  return new Promise((done) => {
    done(act());
  });
}
