/** The backup suite on the fake, which keeps it an honest stand-in elsewhere. */

import { fakeRig } from "../support/fake-hsm.ts";
import { backupSuite } from "./suite-backup.ts";

backupSuite(() => fakeRig(), {
  wraps: ["rfc5649", "rfc3394", "rfc3394-pkcs7", "aes-cbc-pad"],
  unwraps: ["rfc5649", "rfc3394", "rfc3394-pkcs7", "aes-cbc-pad"],
  oaep: ["sha256", "sha1"],
  enforces: true,
  wrapsEd25519: true,
});
