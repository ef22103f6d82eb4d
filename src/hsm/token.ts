/**
 * What we ask of an HSM: tokens by module digest, serial and label, never by slot; keys by the
 * SHA-256 of their SubjectPublicKeyInfo. Handles, mechanism numbers and CKR codes never leave this
 * folder. Everything is asynchronous so that lanes, progress or a process of its own fit behind it.
 */

import type { KeyAlgorithm, SignatureScheme } from "../lib/algorithms.ts";
import type { Json } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import type { BackupSession } from "./backup.ts";
import type { JournalRow } from "./journal.ts";

export type { KeyAlgorithm, SignatureScheme };

/**
 * What a key is for; templates turn it into attributes. A transport key (RSA) opens the envelopes in
 * which KEKs travel, and does nothing else.
 */
export type KeyPurpose = "ca-signing" | "transport";

/** A module as `site.yaml` names it; `path` and `tokenDir` are absolute here. */
export interface ModuleBinding {
  readonly name: string;
  /** Module profile, by name: what the module cannot do or reports wrongly. */
  readonly profile: string;
  readonly path: string;
  /** SHA-256 that people agreed to: a file with another is not loaded. Absent where nothing is agreed yet. */
  readonly digest?: string;
  /** Where a software module keeps its tokens. */
  readonly tokenDir?: string;
  /** Names of variables that the module reads: its process gets these and hardly any other. */
  readonly environment?: readonly string[];
  /** Longest silence within one PKCS#11 call, in seconds, before its process is given up. */
  readonly patience?: number;
}

/** A token as it answered when it was looked at. Text is untrusted: escape it on output. */
export interface TokenInfo {
  /** SHA-256 of the module file. */
  readonly moduleDigest: string;
  readonly profile: string;
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly hardware: string;
  readonly initialized: boolean;
  readonly userPinSet: boolean;
  /** Names of the CKF_* flags that tell of PIN trouble, e.g. CKF_USER_PIN_COUNT_LOW. */
  readonly pinWarnings: readonly string[];
  readonly pinLength: { readonly min: number; readonly max: number };
  readonly algorithms: readonly KeyAlgorithm[];
  /** Names (or 0x-numbers) of every mechanism, sorted. */
  readonly mechanisms: readonly string[];
  /** What the profile waives about the token as such, one sentence each; for evidence and report. */
  readonly waivers: readonly string[];
}

/** One object on a token that is a key. */
export interface KeyInfo {
  readonly objectClass: "private" | "public" | "secret";
  readonly label: string;
  /** CKA_ID in hex. */
  readonly ckaId: string;
  /** CKK_* name. */
  readonly keyType: string;
  /** Attributes read back, by CKA_* name: booleans, numbers, hex or names. */
  readonly attributes: Readonly<Record<string, Json>>;
}

export interface GenerateRequest {
  readonly label: string;
  /** CKA_ID in hex, chosen and recorded before the call. */
  readonly ckaId: string;
  readonly algorithm: KeyAlgorithm;
  readonly purpose: KeyPurpose;
  /** True only while a wrapped backup is due; false for a key that never leaves the token. */
  readonly extractable: boolean;
}

export interface GeneratedKey {
  /** DER SubjectPublicKeyInfo, validated in software (point on curve, modulus, exponent). */
  readonly spki: Uint8Array;
  /** SHA-256 of `spki` in hex: the key's primary name. */
  readonly spkiSha256: string;
  readonly ckaId: string;
  /** Every attribute asked for, as read back from the private and the public object. */
  readonly privateAttributes: Readonly<Record<string, Json>>;
  readonly publicAttributes: Readonly<Record<string, Json>>;
  /** CKM_* name of the generation mechanism. */
  readonly mechanism: string;
  /** What the profile waived, one sentence each: empty for an honest module. */
  readonly waivers: readonly string[];
}

export interface SignRequest {
  /** The recorded public half: the private object is found by its CKA_ID and must belong to it. */
  readonly spki: Uint8Array;
  readonly ckaId: string;
  readonly scheme: SignatureScheme;
  readonly message: Uint8Array;
}

/** A public object of an algorithm we know. */
export interface PublicKeyOnToken {
  readonly spkiSha256: string;
  /** CKA_ID in hex. */
  readonly ckaId: string;
}

/** An open, logged-in session. Closed by `logout`; nothing of it survives an error. */
export interface Session extends BackupSession {
  readonly info: TokenInfo;
  /** One listing of every key object on the token. */
  keys(): Promise<readonly KeyInfo[]>;
  /**
   * Generates a key pair, reads every attribute of both objects back and compares it, validates the
   * public key and proves the pair with a domain-separated challenge signature.
   * @throws KeyriteError hsm.object-exists when label or CKA_ID is taken, hsm.attribute-differs,
   * hsm.bad-output, hsm.not-supported, hsm.call-failed.
   */
  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey>;
  /**
   * Signatures in the form X.509 wants (ECDSA as DER), each verified in software.
   * @throws KeyriteError hsm.object-missing unless exactly one private object matches; hsm.bad-output.
   */
  signAll(requests: readonly SignRequest[]): Promise<readonly Uint8Array[]>;
  logout(): Promise<void>;
}

/** A token after it was wiped. */
export interface WipedToken {
  readonly info: TokenInfo;
  /** What the module does not ask or enforce, one sentence each. */
  readonly waivers: readonly string[];
}

/** Something tried with a PIN, for the counters that tests and evidence read. */
export interface HsmCounters {
  /** C_Login calls made, over all tokens of this process. */
  readonly logins: number;
  /** Milliseconds spent inside PKCS#11 calls. */
  readonly milliseconds: number;
}

/**
 * All modules of the process; each is loaded and initialised once (a second C_Initialize fails).
 * `serial` is the recorded serial, or "blank" for the one uninitialised token of the module.
 */
export interface Hsm {
  readonly counters: HsmCounters;
  /** Takes the PKCS#11 calls that were made since this was last asked. */
  journal(): readonly JournalRow[];
  /** SHA-256 of the module file. @throws KeyriteError hsm.module-unavailable */
  moduleDigest(module: ModuleBinding): Promise<string>;
  /** Every token of a module that answers, initialised or not. */
  tokens(module: ModuleBinding): Promise<readonly TokenInfo[]>;
  /**
   * The one token with this serial (and label, once it has one).
   * @throws KeyriteError hsm.token-absent, hsm.wrong-token, hsm.not-initialized, hsm.not-blank
   */
  find(module: ModuleBinding, serial: string, label: string): Promise<TokenInfo>;
  /**
   * C_InitToken on the blank token, C_InitPIN, then a login from a fresh session to prove the user
   * PIN. Returns the token as it answers afterwards. Neither PIN is wiped here.
   */
  initialize(
    module: ModuleBinding,
    label: string,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo>;
  /**
   * Goes on with an initialisation that was interrupted after C_InitToken: C_InitPIN unless a user PIN is set
   * already, then the login that proves it. Neither PIN is wiped here.
   * @throws KeyriteError hsm.pin-rejected, hsm.pin-locked, hsm.call-failed, and as `find`
   */
  completeInitialization(
    module: ModuleBinding,
    serial: string,
    label: string,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo>;
  /**
   * Destroys everything on an initialised token: C_InitToken with its officer's PIN, then a new random
   * officer's PIN that nobody keeps. Verifies that no object is left and no user PIN is set.
   * @throws KeyriteError hsm.pin-rejected, hsm.pin-locked, hsm.bad-output, hsm.call-failed while a
   * session is open, and as `find`
   */
  wipe(module: ModuleBinding, serial: string, label: string, soPin: Secret): Promise<WipedToken>;
  /**
   * One C_Login, and none when the token reports a final try or a locked PIN.
   * @throws KeyriteError hsm.pin-rejected, hsm.pin-locked, hsm.call-failed
   */
  login(module: ModuleBinding, serial: string, label: string, pin: Secret): Promise<Session>;
  /** Objects visible without login, for inspection. */
  publicObjects(module: ModuleBinding, serial: string, label: string): Promise<readonly KeyInfo[]>;
  /** Public keys visible without login, from one listing. */
  publicKeys(
    module: ModuleBinding,
    serial: string,
    label: string,
  ): Promise<readonly PublicKeyOnToken[]>;
  /** Logs out, closes sessions and finalises every module. */
  close(): Promise<void>;
}
