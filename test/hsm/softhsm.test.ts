/** The HSM suite on SoftHSM. */

import { softhsmRig } from "../support/softhsm.ts";
import { hsmSuite } from "./suite.ts";

hsmSuite(() => softhsmRig());
