/** The vocabulary, in the order the manual presents it: a reviewer reads the whole of it here. */

import type { Action } from "../ceremony/action.ts";
import { activateToken } from "./activate-token.ts";
import { adoptToken } from "./adopt-token.ts";
import { attestClock } from "./attest-clock.ts";
import { attest } from "./attest.ts";
import { backUpKey } from "./back-up-key.ts";
import { changePolicy } from "./change-policy.ts";
import { cloneKey } from "./clone-key.ts";
import { concludeDrill } from "./conclude-drill.ts";
import { attachDeviceLog } from "./attach-device-log.ts";
import { crosslink } from "./crosslink.ts";
import { deactivateToken } from "./deactivate-token.ts";
import { destroyKek } from "./destroy-kek.ts";
import { destroyKey } from "./destroy-key.ts";
import { enrollPerson } from "./enroll-person.ts";
import { establishKek } from "./establish-kek.ts";
import { generateKey } from "./generate-key.ts";
import { importCertificate } from "./import-certificate.ts";
import { initializeToken } from "./initialize-token.ts";
import { inspectToken } from "./inspect-token.ts";
import { issueCertificate } from "./issue-certificate.ts";
import { loadKek } from "./load-kek.ts";
import { lockKey } from "./lock-key.ts";
import { makeCsr } from "./make-csr.ts";
import { makeTransportKey } from "./make-transport-key.ts";
import { recordCustody } from "./record-custody.ts";
import { recordDeviation } from "./record-deviation.ts";
import { recordNativeBackup } from "./record-native-backup.ts";
import { restoreKey } from "./restore-key.ts";
import { retireToken } from "./retire-token.ts";
import { revokeCertificate } from "./revoke-certificate.ts";
import { renewPerson } from "./renew-person.ts";
import { revokePerson } from "./revoke-person.ts";
import { rollCall } from "./roll-call.ts";
import { rotateKek } from "./rotate-kek.ts";
import { sendKek } from "./send-kek.ts";
import { signCrl } from "./sign-crl.ts";
import { signOcspResponder } from "./sign-ocsp-responder.ts";
import { trustSite } from "./trust-site.ts";

export const ACTIONS: readonly Action[] = [
  rollCall,
  attestClock,
  attest,
  enrollPerson,
  renewPerson,
  revokePerson,
  inspectToken,
  initializeToken,
  adoptToken,
  activateToken,
  deactivateToken,
  generateKey,
  makeTransportKey,
  establishKek,
  sendKek,
  loadKek,
  rotateKek,
  destroyKek,
  backUpKey,
  lockKey,
  trustSite,
  crosslink,
  attachDeviceLog,
  restoreKey,
  cloneKey,
  recordNativeBackup,
  issueCertificate,
  signOcspResponder,
  makeCsr,
  importCertificate,
  revokeCertificate,
  signCrl,
  recordDeviation,
  changePolicy,
  destroyKey,
  retireToken,
  recordCustody,
  concludeDrill,
];
