/** The backup suite on SoftHSM. */

import { softhsmRig } from "../support/softhsm.ts";
import { backupSuite } from "./suite-backup.ts";

backupSuite(() => softhsmRig(), {
  wraps: ["rfc5649", "rfc3394"],
  unwraps: ["rfc5649", "rfc3394", "rfc3394-pkcs7"],
  oaep: ["sha1"],
  enforces: true,
  wrapsEd25519: false,
});
