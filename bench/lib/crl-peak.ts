/** A process of its own that signs one revocation list, and prints the most memory it held, in bytes. */

import { checkList, crlMaterial, signedCrl } from "./crl.ts";
import { inThisProcess, onToken } from "./softhsm.ts";

const KIBIBYTE = 1024;

async function main(count = "", folder = ""): Promise<void> {
  const sign = async (session: Parameters<typeof crlMaterial>[0]): Promise<void> => {
    const material = await crlMaterial(session, Number(count));
    checkList(material, await signedCrl(material));
  };
  await onToken(folder, ({ session }) => sign(session), inThisProcess);
  process.stdout.write(`${process.resourceUsage().maxRSS * KIBIBYTE}\n`);
}

await main(...process.argv.slice(2));
