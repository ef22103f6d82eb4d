/** The HSM suite on NSS softoken. */

import { nssRig } from "../support/nss.ts";
import { hsmSuite } from "./suite.ts";

hsmSuite(() => nssRig());
