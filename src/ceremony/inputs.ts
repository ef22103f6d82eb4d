/**
 * Documents that a plan is about besides its script: profiles by name and files given as parameters.
 * Each is read once, its digest stands in the plan, and its bytes are attached when the ceremony opens.
 */

import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Attached } from "./recorder.ts";

/** Longest file that is taken in: a request or a certificate is a few thousand bytes. */
export const LONGEST_INPUT = 1 << 20;

/** Where planning finds documents. The command line reads files, tests lend what they have. */
export interface InputSource {
  /** A file by its path as typed. @throws KeyriteError usage.bad-file, site.missing, site.permissions */
  file(path: string): Uint8Array;
  /** A profile by its name, or undefined when there is none. */
  profile(name: string): Uint8Array | undefined;
  /** Names of the profiles there are. */
  profiles(): readonly string[];
  /** An attachment of the ledger. */
  attachment(sha256: string): Uint8Array | undefined;
}

/** What conditions and forecasts may look into. */
export interface Documents {
  /** A profile of the plan by its name. */
  profile(name: string): Uint8Array | undefined;
  /** A document by its SHA-256: given to the plan, or attached to the ledger. */
  attachment(sha256: string): Uint8Array | undefined;
}

const NOTHING: InputSource = {
  file: (path) => {
    throw new KeyriteError("usage.bad-file", `there is no file ${path}`);
  },
  profile: () => undefined,
  profiles: () => [],
  attachment: () => undefined,
};

/** What a plan has taken in so far. */
export class PlanInputs implements Documents {
  readonly #source: InputSource;
  readonly #profiles = new Map<string, string>();
  readonly #taken = new Map<string, Attached>();

  constructor(source: InputSource = NOTHING) {
    this.#source = source;
  }

  /**
   * Takes a file in and returns its SHA-256.
   * @throws KeyriteError as `InputSource.file`, and usage.bad-file for one longer than a mebibyte
   */
  takeFile(path: string): string {
    const bytes = this.#source.file(path);
    if (bytes.length > LONGEST_INPUT) {
      throw new KeyriteError("usage.bad-file", `${path} is longer than ${LONGEST_INPUT} bytes`);
    }
    return this.#take("application/octet-stream", bytes);
  }

  /** Takes a profile in; false when there is none of that name. */
  takeProfile(name: string): boolean {
    if (this.#profiles.has(name)) return true;
    const bytes = this.#source.profile(name);
    if (bytes === undefined) return false;
    this.#profiles.set(name, this.#take("application/yaml", bytes));
    return true;
  }

  profile(name: string): Uint8Array | undefined {
    return this.#taken.get(this.#profiles.get(name) ?? "")?.bytes;
  }

  attachment(sha256: string): Uint8Array | undefined {
    return this.#taken.get(sha256)?.bytes ?? this.#source.attachment(sha256);
  }

  /** Names of the profiles that could have been meant. */
  known(): readonly string[] {
    return this.#source.profiles();
  }

  /** SHA-256 of each profile taken in, by name. */
  get profiles(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#profiles);
  }

  /** What is attached when the ceremony opens. */
  get taken(): readonly Attached[] {
    return [...this.#taken.values()];
  }

  #take(mediaType: string, bytes: Uint8Array): string {
    const sha256 = sha256Hex(bytes);
    if (!this.#taken.has(sha256)) this.#taken.set(sha256, { mediaType, bytes });
    return sha256;
  }
}
