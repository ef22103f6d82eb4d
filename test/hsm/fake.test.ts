/** The HSM suite on the fake, which keeps it an honest stand-in elsewhere. */

import { fakeRig } from "../support/fake-hsm.ts";
import { hsmSuite } from "./suite.ts";

hsmSuite(() => fakeRig());
