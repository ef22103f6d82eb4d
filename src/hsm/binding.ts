/**
 * The PKCS#11 binding and its sharp edges: handles as buffers, templates it writes into, mechanism
 * parameters it does not check, and errors in two shapes.
 */

import pkcs11js from "pkcs11js";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { ckrError } from "./ckr.ts";
import { CKZ_DATA_SPECIFIED } from "./constants.ts";
import type { CallSubject } from "./journal.ts";
import type { Meter } from "./meter.ts";
import type { Handle, RawAttribute, RawMechanism, RawModule } from "./raw.ts";

export type Binding = pkcs11js.PKCS11;
export type BindingTokenInfo = pkcs11js.TokenInfo;

/** Some of the calls of a module. */
export type Part<K extends keyof RawModule> = Pick<RawModule, K>;

/**
 * Loads a module file, without initialising it.
 * @throws KeyriteError hsm.module-unavailable when the file is not a PKCS#11 module.
 */
export function loadBinding(path: string): Binding {
  const binding = new pkcs11js.PKCS11();
  try {
    binding.load(path);
    return binding;
  } catch (cause) {
    throw new KeyriteError(
      "hsm.module-unavailable",
      `${path} does not load as a PKCS#11 module: ${messageOf(cause)}`,
      { cause, hints: ["check the path in site.yaml and that the vendor's library is installed"] },
    );
  }
}

/** Times and counts calls and gives their errors one form. */
export interface Caller {
  readonly now: <T>(name: string, about: CallSubject | undefined, body: () => T) => T;
  readonly apart: <T>(
    name: string,
    about: CallSubject | undefined,
    body: () => Promise<T>,
  ) => Promise<T>;
}

export function callerOver(meter: Meter): Caller {
  const { journal } = meter;
  const failure = (name: string, thrown: unknown, about?: CallSubject): KeyriteError => {
    const error = uniform(name, thrown);
    journal.failed(name, error, about);
    return error;
  };
  return {
    now: (name, about, body) => {
      try {
        const result = meter.time(body);
        journal.succeeded(name, about);
        return result;
      } catch (error) {
        throw failure(name, error, about);
      }
    },
    apart: async (name, about, body) => {
      try {
        const result = await meter.timeAsync(body);
        journal.succeeded(name, about);
        return result;
      } catch (error) {
        throw failure(name, error, about);
      }
    },
  };
}

// The binding's worker threads read buffers that nothing else references: without a use after the
// call the collector may free them while the module still reads.
export function keepUntilHere(held: readonly unknown[]): void {
  if (held.length === 0) throw new KeyriteError("internal.bug", "no buffers were held");
}

export function toTemplate(attributes: readonly RawAttribute[]): { type: number; value: Buffer }[] {
  return attributes.map(({ type, value }) => ({
    type,
    value: Buffer.isBuffer(value) ? value : Buffer.from(value),
  }));
}

// CK_ULONG is a native unsigned long: eight bytes on every platform we support (not on Windows). One
// number in between, because every call converts three of them and a new array costs more than the rest.
const number = new BigUint64Array(1);
const numberBytes = new Uint8Array(number.buffer);

export function fromHandle(handle: Handle): Buffer {
  number[0] = handle;
  return Buffer.from(numberBytes);
}

export function toHandle(buffer: Buffer): Handle {
  if (buffer.length !== numberBytes.length) {
    throw new KeyriteError("internal.bug", `a handle has ${buffer.length} bytes`);
  }
  numberBytes.set(buffer);
  return number[0] ?? 0n;
}

/** A mechanism as the binding takes it. An unknown parameter type would leave a wild pointer there. */
export function toMechanism({ mechanism, parameter }: RawMechanism): pkcs11js.Mechanism {
  switch (parameter?.kind) {
    case undefined:
      return { mechanism };
    case "iv":
      return { mechanism, parameter: Buffer.from(parameter.iv) };
    case "oaep": {
      const { hash, mgf } = parameter;
      const fields: pkcs11js.RsaOAEP = {
        type: pkcs11js.CK_PARAMS_RSA_OAEP,
        hashAlg: hash,
        mgf,
        source: CKZ_DATA_SPECIFIED,
      };
      return { mechanism, parameter: fields };
    }
    case "pss": {
      const { hash, mgf, salt } = parameter;
      const fields: pkcs11js.RsaPSS = {
        type: pkcs11js.CK_PARAMS_RSA_PSS,
        hashAlg: hash,
        mgf,
        saltLen: salt,
      };
      return { mechanism, parameter: fields };
    }
  }
}

function uniform(name: string, error: unknown): KeyriteError {
  if (error instanceof KeyriteError) return error;
  const code = codeOf(error);
  if (code !== undefined) return ckrError(name, code);
  return new KeyriteError("hsm.call-failed", `${name} failed: ${messageOf(error)}`, {
    cause: error,
  });
}

// The binding throws its own class with a code from most calls and a plain "CKR_NAME:number" from
// some; it prints newer codes under a wrong name, so only the number counts.
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const number = /CKR_\w+:(\d+)/.exec(error.message)?.[1];
  if (number !== undefined) return Number(number);
  if (!error.message.startsWith("CKR_") || !("code" in error)) return undefined;
  return typeof error.code === "number" ? error.code : undefined;
}
