/** The form of a certificate request: both decoders, its own signature, its lints. */

import type { Trust } from "../../pki/lint-rule.ts";
import type { Form } from "./double-signing.ts";

/** @param trust whose rules the name and the key must keep */
export async function requestForm(trust: Trust): Promise<Form> {
  const { assembleCsr } = await import("../../pki/csr.ts");
  const { checkCsr } = await import("../../pki/check.ts");
  const { lintCsr } = await import("../../pki/lint.ts");
  const { secondReadCsr } = await import("../../pki/second-csr.ts");
  return {
    what: "request",
    assemble: assembleCsr,
    check: checkCsr,
    // The first reader takes none that its own key has not signed, and so none under a throw-away key.
    lint: (der) => lintCsr(secondReadCsr(der).view, { trust }),
  };
}
