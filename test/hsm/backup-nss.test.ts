/** The backup suite on NSS softoken. */

import { nssRig } from "../support/nss.ts";
import { backupSuite } from "./suite-backup.ts";

backupSuite(() => nssRig(), {
  wraps: ["rfc5649", "rfc3394-pkcs7", "aes-cbc-pad"],
  unwraps: ["rfc5649", "rfc3394", "rfc3394-pkcs7", "aes-cbc-pad"],
  oaep: ["sha256", "sha1"],
  enforces: false,
  wrapsEd25519: false,
});
