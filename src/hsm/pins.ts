/**
 * The four calls that carry a PIN, made on the bytes of a `Secret`: the binding takes PINs as
 * JavaScript strings only, which nobody can wipe.
 */

import type { Secret } from "../lib/secret.ts";
import { CKU } from "./constants.ts";
import type { NativeCalls } from "./native.ts";
import type { Handle, UserType } from "./raw.ts";

export interface PinCalls {
  login(session: Handle, user: UserType, pin: Secret | undefined): void;
  initToken(slot: Handle, soPin: Secret, label: Uint8Array): void;
  initPin(session: Handle, userPin: Secret): void;
  setPin(session: Handle, oldPin: Secret, newPin: Secret): void;
}

/** The PIN calls of a module. */
export function pinCalls({ call }: NativeCalls): PinCalls {
  return {
    login: (session, user, pin) => {
      const type = user === "user" ? CKU.USER : CKU.SO;
      if (pin === undefined) call("C_Login", session, type, new Uint8Array(1), 0);
      else
        pin.use((bytes) => {
          call("C_Login", session, type, bytes, bytes.length);
        });
    },
    initToken: (slot, soPin, label) => {
      soPin.use((bytes) => {
        call("C_InitToken", slot, bytes, bytes.length, label);
      });
    },
    initPin: (session, userPin) => {
      userPin.use((bytes) => {
        call("C_InitPIN", session, bytes, bytes.length);
      });
    },
    setPin: (session, oldPin, newPin) => {
      oldPin.use((old) => {
        newPin.use((bytes) => {
          call("C_SetPIN", session, old, old.length, bytes, bytes.length);
        });
      });
    },
  };
}
