/** A request in plain words. What it asks for is a wish: only its name and key are believed. */

import type { CsrView } from "./csr-read.ts";
import { extensionLines } from "./explain-extensions.ts";
import { field, hexLines, keyInWords, nameLines } from "./explain-parts.ts";

/** Every field of a request, in lines of at most 96 columns; text out of it is `visible`. */
export function explainCsr(view: CsrView): readonly string[] {
  return [
    ...field("subject", nameLines(view.subject)),
    ...field("public key", [keyInWords(view.key)]),
    ...field("key fingerprint", ["SHA-256 of the public key:", ...hexLines(view.key.spkiSha256)]),
    ...(view.extensions.length === 0
      ? field("asks for", ["no extensions"])
      : ["It asks for these extensions:"]),
    ...view.extensions.flatMap((extension) => extensionLines(extension, view.extensions)),
    ...view.attributes.flatMap(({ oid, value }) =>
      field("other attribute", [`${oid}, bytes:`, ...hexLines(value)]),
    ),
    ...field("format", ["PKCS#10 version 1"]),
  ];
}
