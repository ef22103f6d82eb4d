/** The form of a certificate request: both decoders, its own signature, its lints. */

import type { Form } from "./double-signing.ts";

export async function requestForm(): Promise<Form> {
  const { assembleCsr } = await import("../../pki/csr.ts");
  const { checkCsr } = await import("../../pki/check.ts");
  const { lintCsr } = await import("../../pki/lint.ts");
  const { secondReadCsr } = await import("../../pki/second-csr.ts");
  return {
    what: "request",
    assemble: assembleCsr,
    check: checkCsr,
    // The first reader takes none that its own key has not signed, and so none under a throw-away key.
    lint: (der) => lintCsr(secondReadCsr(der).view, { trust: "private" }),
  };
}
