/** The vocabulary, in the order the manual presents it: a reviewer reads the whole of it here. */

import type { Action } from "../ceremony/action.ts";
import { activateToken } from "./activate-token.ts";
import { adoptToken } from "./adopt-token.ts";
import { attest } from "./attest.ts";
import { attestClock } from "./attest-clock.ts";
import { changePolicy } from "./change-policy.ts";
import { deactivateToken } from "./deactivate-token.ts";
import { enrollPerson } from "./enroll-person.ts";
import { generateKey } from "./generate-key.ts";
import { initializeToken } from "./initialize-token.ts";
import { inspectToken } from "./inspect-token.ts";
import { issueCertificate } from "./issue-certificate.ts";
import { recordDeviation } from "./record-deviation.ts";
import { rollCall } from "./roll-call.ts";

export const ACTIONS: readonly Action[] = [
  rollCall,
  attestClock,
  attest,
  enrollPerson,
  inspectToken,
  initializeToken,
  adoptToken,
  activateToken,
  deactivateToken,
  generateKey,
  issueCertificate,
  recordDeviation,
  changePolicy,
];
