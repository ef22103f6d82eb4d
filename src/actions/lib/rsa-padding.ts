/** How an RSA key signs a request or a CRL, where a step may choose. */

import { condition, type Condition } from "../../ceremony/conditions.ts";
import { z } from "../../lib/schema.ts";
import { keyLabelledOn } from "./certificate-refs.ts";

export const rsaPadding = (): z.Schema<"pkcs1" | "pss"> => z.enum(["pkcs1", "pss"]);

/** A padding is chosen for RSA keys alone: another key has one way to sign. */
export function rsaPaddingFits({
  token,
  key,
  rsaPadding: chosen,
}: {
  readonly token: string;
  readonly key: string;
  readonly rsaPadding?: "pkcs1" | "pss" | undefined;
}): Condition {
  return condition("rsaPadding", ({ custody }) => {
    const algorithm = keyLabelledOn(custody, token, key)?.algorithm;
    if (chosen === undefined || algorithm === undefined) return false;
    return !algorithm.startsWith("rsa") && `key ${key} is ${algorithm}, which has no padding`;
  });
}
