/** A revocation list of 100,000 entries, signed by a token, against building and hashing the same DER bare. */

import { bench, type Side, timed } from "./harness.ts";
import { checkList, type CrlMaterial, crlMaterial, signedCrl } from "./lib/crl.ts";
import { bareCrl } from "./lib/bare-crl.ts";
import { inMemory, inThisProcess, onToken } from "./lib/softhsm.ts";

export const about =
  "signing a revocation list of 100,000 entries against building and hashing it bare";

export async function run(rounds = 5, entries = 100_000): Promise<void> {
  await inMemory((folder) =>
    onToken(
      folder,
      async ({ session }) => {
        const material = await crlMaterial(session, entries);
        await refuseOtherBytes(material);
        await bench("crl", 0.667, {
          ours: timed(() => signedCrl(material)),
          bare: bareSide(material),
          rounds,
          kind: "time",
        });
      },
      inThisProcess,
    ),
  );
}

function bareSide(material: CrlMaterial): Side {
  return timed(() => bareCrl(material));
}

/** Both sides must make the same bytes, or they are not comparable. */
async function refuseOtherBytes(material: CrlMaterial): Promise<void> {
  const ours = await signedCrl(material);
  checkList(material, ours);
  if (ours.sha256 !== bareCrl(material)) throw new Error("the two sides built different lists");
}
