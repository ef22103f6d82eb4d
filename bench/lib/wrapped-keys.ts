/** P-256 keys wrapped in software under the benchmarks' KEK: what a backup holds, without a token. */

import { generateKeyPairSync } from "node:crypto";
import type { UnwrapItem } from "../../src/hsm/backup.ts";
import { wrapInSoftware } from "../../src/hsm/aes-wrap.ts";
import { concat, hex, sha256 } from "../../src/lib/encoding.ts";
import { KEK_VALUE } from "./softhsm.ts";

const NO_IV = new Uint8Array(0);

export function wrappedKeys(count: number): readonly UnwrapItem[] {
  return Array.from({ length: count }, (_, index) => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { format: "der", type: "spki" },
      privateKeyEncoding: { format: "der", type: "pkcs8" },
    });
    const spki = concat(publicKey);
    return {
      spki,
      ckaId: hex(sha256(spki).subarray(0, 16)),
      label: `key-${index}`,
      algorithm: "p-256",
      blob: wrapInSoftware("rfc5649", KEK_VALUE, privateKey, NO_IV),
      format: "rfc5649",
    };
  });
}
