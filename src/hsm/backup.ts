/**
 * What backup and restore ask of an open token: key encryption keys, wrapped keys, and the objects
 * that are there. Lists go in and groups come out, so that lanes and progress fit in between.
 */

import type { KeyAlgorithm } from "../lib/algorithms.ts";
import type { Json } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import { profileNamed } from "./profiles.ts";

/** What stands in a wrapped key: the semantics, never a mechanism number, which vendors share. */
export type WireFormat =
  /** AES key wrap with padding (RFC 5649). */
  | "rfc5649"
  /** AES key wrap (RFC 3394); the PKCS#8 is followed by zeros up to a multiple of eight bytes. */
  | "rfc3394"
  /** AES key wrap (RFC 3394) over a PKCS#8 padded as in PKCS#7, to eight bytes. */
  | "rfc3394-pkcs7"
  /** The 16-byte IV, then AES-CBC with PKCS#7 padding: not authenticated, so only when asked for. */
  | "aes-cbc-pad";

/** Hash of OAEP and of its mask generation; the label is empty. */
export type OaepHash = "sha1" | "sha256";

/** A key pair on a token, by the two names that must agree. */
export interface KeyName {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** CKA_ID in hex. */
  readonly ckaId: string;
}

/** A KEK on a token; the check value says whether it is the one that was recorded. */
export interface KekName {
  readonly ckaId: string;
  /** 16 hex characters: the first 8 bytes of SHA-256(RFC 3394 wrap of the bytes 00…1f). */
  readonly checkValue: string;
}

/** A transport key that shall be able to open a KEK. */
export interface TransportKey {
  readonly spki: Uint8Array;
  /** What its token can open, as `oaepHashes` of a session there said; absent means SHA-1 only. */
  readonly oaep?: readonly OaepHash[];
}

export interface Envelope {
  /** SHA-256 of the transport key's SPKI, in hex. */
  readonly spkiSha256: string;
  readonly oaep: OaepHash;
  readonly envelope: Uint8Array;
}

export interface EstablishKek {
  readonly label: string;
  readonly ckaId: string;
  /** The transport key of this very token. */
  readonly ownTransport: KeyName;
  /** Transport keys of the other tokens. */
  readonly transports: readonly TransportKey[];
}

export interface LoadKek {
  readonly label: string;
  readonly ckaId: string;
  readonly transport: KeyName;
  readonly envelope: Envelope;
  readonly checkValue: string;
}

/** A KEK sent on to a token that came later. */
export interface ResealKek {
  /** The transport key of this very token, and the envelope it opens. */
  readonly transport: KeyName;
  readonly envelope: Envelope;
  readonly checkValue: string;
  readonly to: TransportKey;
}

export interface ImportKek {
  readonly label: string;
  readonly ckaId: string;
  /** The recorded check value; absent for a KEK that is new. */
  readonly checkValue?: string;
}

/** A KEK as it stands on a token now. */
export interface Kek extends KekName {
  readonly attributes: Readonly<Record<string, Json>>;
  /** What the token cannot do or reports wrongly, one sentence each: a residual of every report. */
  readonly waivers: readonly string[];
}

export interface EstablishedKek extends Kek {
  /** Own token's first, then in the order of `transports`. */
  readonly envelopes: readonly Envelope[];
}

export interface WrappedKey extends KeyName {
  readonly spkiSha256: string;
  readonly blob: Uint8Array;
  readonly format: WireFormat;
}

export interface UnwrapItem extends KeyName {
  readonly label: string;
  readonly algorithm: KeyAlgorithm;
  readonly blob: Uint8Array;
  readonly format: WireFormat;
}

export interface UnwrapOptions {
  /** `token`: restored for good, with its public object. `session`: proved and destroyed again. */
  readonly as: "token" | "session";
  /** How many keys are under way at a time, each in a session of its own; 1 when absent. */
  readonly lanes?: number;
  /** How many outcomes come at a time; 50 when absent. */
  readonly groupSize?: number;
  /**
   * Awaited before the first call of each group: the place to make its intent durable. It is called for the
   * next group while the one before is on its way: two are under way at a time, and no third before the
   * outcomes of the first have been taken.
   */
  readonly before?: (group: readonly UnwrapItem[]) => void | Promise<void>;
  /**
   * True for whoever derives attributes: those of a key that read back exactly as it was asked for are left
   * out then, and `exact` is the name it was asked for by.
   */
  readonly brief?: boolean;
}

/** A key that came back, with every attribute compared and its challenge signature verified. */
export interface Unwrapped {
  readonly status: "ok";
  readonly spkiSha256: string;
  readonly ckaId: string;
  readonly privateAttributes: Readonly<Record<string, Json>>;
  /** Empty for a session copy, which has no public object. */
  readonly publicAttributes: Readonly<Record<string, Json>>;
  readonly waivers: readonly string[];
  /** See `UnwrapOptions.brief`. */
  readonly exact?: { readonly label: string; readonly ckaId: string };
}

/** A key that did not: whatever was made of it is destroyed again, unless `remains` says otherwise. */
export interface NotUnwrapped {
  readonly status: "problem";
  readonly spkiSha256: string;
  readonly ckaId: string;
  /** What went wrong, in one sentence that names the CKR code where there is one. */
  readonly problem: string;
  /** What could not be destroyed, or undefined. */
  readonly remains: string | undefined;
}

export type UnwrapOutcome = Unwrapped | NotUnwrapped;

/** A key object as one listing tells it: enough to match it with records. */
export interface InventoryObject {
  readonly objectClass: "private" | "public" | "secret";
  readonly label: string;
  readonly ckaId: string;
  /** CKK_* name. */
  readonly keyType: string;
  /** False for what ends with a session. */
  readonly onToken: boolean;
  /** Of public objects of a known algorithm. */
  readonly spkiSha256: string | undefined;
  /** Of private and secret objects; undefined when the token does not say. */
  readonly extractable: boolean | undefined;
}

export interface LockedKey {
  readonly ckaId: string;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly waivers: readonly string[];
}

/** A key to be destroyed; without `spki` whatever bears the CKA_ID goes, as after a crash. */
export interface DoomedKey {
  readonly ckaId: string;
  readonly spki: Uint8Array | undefined;
}

/** An object that breaks a rule. */
export interface LintFinding {
  /** Name of the rule, e.g. `wrap-and-decrypt`. */
  readonly rule: string;
  readonly objectClass: InventoryObject["objectClass"];
  readonly label: string;
  readonly ckaId: string;
  readonly says: string;
}

/** What the caller knows of the token, for rules that need it. */
export interface LintKnowledge {
  /** CKA_IDs of KEKs in custody; any other KEK is foreign. */
  readonly keks?: readonly string[];
  /** CKA_IDs of keys whose backup is still due: they may be extractable. */
  readonly backupDue?: readonly string[];
  /** The classes to look at; all when absent. A token may hold thousands of keys and one KEK. */
  readonly classes?: readonly InventoryObject["objectClass"][];
}

/** Backup and restore on an open session; see `Session`. */
export interface BackupSession {
  /**
   * OAEP hashes that a transport key here can open, best first, found out by trying.
   * @throws KeyriteError hsm.object-missing
   */
  oaepHashes(transport: KeyName): Promise<readonly OaepHash[]>;
  /** Formats this token wraps and unwraps private keys in, found out with a KEK of known value. */
  wireFormats(): Promise<{
    readonly wraps: readonly WireFormat[];
    readonly unwraps: readonly WireFormat[];
  }>;
  /**
   * Makes a KEK that only HSMs know: born as an extractable session object, wrapped to its own and
   * all other transport keys, unwrapped here as a token object that cannot be extracted.
   * @throws KeyriteError hsm.object-exists, hsm.object-missing (own transport key),
   * hsm.attribute-differs, hsm.bad-output, hsm.not-supported, hsm.call-failed; nothing is left behind.
   */
  establishKek(request: EstablishKek): Promise<EstablishedKek>;
  /** Opens an envelope here. @throws as `establishKek`, and hsm.wrong-kek */
  loadKek(request: LoadKek): Promise<Kek>;
  /**
   * Opens an envelope here as an extractable session object, wraps that to another transport key and
   * destroys it. The check value is compared before and after.
   * @throws KeyriteError hsm.wrong-kek, hsm.object-missing, hsm.not-supported, hsm.bad-output,
   * hsm.call-failed
   */
  resealKek(request: ResealKek): Promise<Envelope>;
  /** A KEK from its value, which stays the caller's to wipe. @throws as `loadKek` */
  importKek(value: Secret, request: ImportKek): Promise<Kek>;
  /** 32 new bytes of the token's own generator, for a KEK that is escrowed: import it, seal it, wipe it. */
  exportedKek(): Promise<Secret>;
  /**
   * A KEK as it stands now: found once, its attributes compared, its check value recomputed.
   * @throws KeyriteError hsm.object-missing, hsm.attribute-differs, hsm.wrong-kek
   */
  inspectKek(kek: KekName): Promise<Kek>;
  /** Destroys a KEK after `inspectKek`, and verifies its absence. */
  destroyKek(kek: KekName): Promise<void>;
  /**
   * Wraps private keys, in groups of 100. All of them are looked at before the first is wrapped.
   * @param formats allowed formats, most wanted first; rfc5649, rfc3394, rfc3394-pkcs7 when absent.
   * @throws KeyriteError hsm.not-extractable, hsm.not-supported, hsm.object-missing, hsm.wrong-kek
   */
  wrapAll(
    kek: KekName,
    keys: readonly KeyName[],
    formats?: readonly WireFormat[],
  ): AsyncIterable<readonly WrappedKey[]>;
  /**
   * Unwraps, proves and (as token objects) keeps private keys; outcomes in the order of `items`. One
   * listing before and one after. A failing key does not stop the others; a token that fails does.
   * @throws KeyriteError hsm.object-exists before any unwrap; hsm.wrong-kek; hsm.not-supported;
   * hsm.bad-output when the last listing does not hold exactly what came back.
   */
  unwrapAll(
    kek: KekName,
    items: readonly UnwrapItem[],
    options: UnwrapOptions,
  ): AsyncIterable<readonly UnwrapOutcome[]>;
  /** One listing of all key objects. */
  inventory(): Promise<readonly InventoryObject[]>;
  /**
   * Sets CKA_EXTRACTABLE to false for good, reads it back, and tries to wrap the key all the same.
   * @throws KeyriteError hsm.object-missing, hsm.attribute-differs
   */
  lockKeys(keys: readonly KeyName[]): Promise<readonly LockedKey[]>;
  /**
   * Destroys both halves of each key and verifies their absence with one listing. All are looked at
   * before the first is destroyed. @returns how many objects went.
   * @throws KeyriteError hsm.object-missing, hsm.bad-output when one is still there
   */
  destroyKeys(keys: readonly DoomedKey[]): Promise<number>;
  /**
   * Destroys whatever bears the CKA_ID that was chosen for a step which was interrupted, and verifies
   * its absence. @returns how many objects went; none is no error.
   * @throws KeyriteError hsm.bad-output when one is still there
   */
  destroyRemnants(ckaId: string): Promise<number>;
  /** Objects that break our templates. */
  lintObjects(knowledge?: LintKnowledge): Promise<readonly LintFinding[]>;
  /** Makes what a software token wrote durable; does nothing for tokens that have no folder. */
  settleStorage(): Promise<void>;
}

/** Why a token of this profile can never back up keys of an algorithm by wrapping, or undefined. */
export function whyNotWrappable(profile: string, algorithm: KeyAlgorithm): string | undefined {
  return profileNamed(profile).cannotWrap.includes(algorithm)
    ? `a ${profile} token makes ${algorithm} keys but cannot wrap them`
    : undefined;
}
