/**
 * A program that has a slow module generate a key and is killed meanwhile. Its argument says which token; the
 * PIN comes as bytes on standard input.
 */

import { readFileSync } from "node:fs";
import type { ModuleBinding } from "../../src/hsm/token.ts";
import { Secret } from "../../src/lib/secret.ts";
import { hosted } from "./hosted.ts";

export interface Driven {
  readonly module: ModuleBinding;
  readonly serial: string;
  readonly label: string;
  readonly lockFile: string;
  readonly ckaId: string;
}

const { module, serial, label, lockFile, ckaId } = JSON.parse(process.argv[2] ?? "") as Driven;
const hsm = hosted({ lockFile: () => lockFile });
const session = await hsm.login(module, serial, label, Secret.copy(readFileSync(0)));
await session.generateKeyPair({
  ...{ label: "slow", ckaId, algorithm: "p-256", purpose: "ca-signing", extractable: false },
});
