/** The form of a CRL: both decoders, the issuer's signature, its lints. */

import type { Custody } from "../../ceremony/custody.ts";
import type { NamedKey } from "../../ceremony/key-choice.ts";
import type { CertificateView } from "../../pki/view.ts";
import type { Form } from "./double-signing.ts";

export async function crlForm(
  custody: Custody,
  { issuer, key }: { readonly issuer: CertificateView; readonly key: NamedKey },
): Promise<Form> {
  const { assembleCrl } = await import("../../pki/crl.ts");
  const { checkCrl } = await import("../../pki/check.ts");
  const { lintCrlFile } = await import("../../pki/lint.ts");
  const last = custody.crls.get(key.spki);
  const context = {
    issuer,
    ...(last === undefined ? {} : { previousNumber: BigInt(last.number) }),
  };
  return {
    what: "CRL",
    assemble: assembleCrl,
    check: checkCrl,
    lint: (der) => lintCrlFile(der, context),
  };
}
