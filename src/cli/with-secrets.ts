/** Which commands hold a secret: somebody's passphrase, a share, or the key of the ledger. */

const WITH_SECRETS = ["run", "identity new", "init", "cosign sign", "cosign accept"];

/** Closes the memory of this process to others, if the command will hold a secret. @throws KeyriteError */
export async function hardenFor(command: string): Promise<void> {
  if (WITH_SECRETS.includes(command)) (await import("./hardening.ts")).harden();
}
