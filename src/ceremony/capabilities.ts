/**
 * The capabilities of a ceremony room: everything an action may touch, as interfaces. The command line
 * wires the real parts, tests wire others.
 */

import type { ChoiceQuestion, OperatorConsole, TextQuestion } from "../console/console.ts";
import type { PublicKeyOnToken, Session, TokenInfo, WipedToken } from "../hsm/token.ts";
import type { Clock, Random } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type { Card } from "../people/card.ts";
import type { Medium } from "../people/medium.ts";
import type { Opener } from "../people/signer.ts";
import type { Attending, Custody } from "./custody.ts";
import type { Acts } from "./device-match.ts";
import type { Assurance } from "./genesis.ts";
import type { StepOutcome } from "./history.ts";
import type { Documents } from "./inputs.ts";
import type { Policy } from "./policy.ts";
import type { CANDIDATE_ROLE, Role } from "./words.ts";

/** A person of the roll call who takes part in a step. */
export interface Participant extends Omit<Attending, "role"> {
  readonly role: Role | typeof CANDIDATE_ROLE;
  readonly card: Card;
}

/** The console with the step filled in. */
export interface StepConsole extends Pick<OperatorConsole, "tell" | "warn" | "progress"> {
  ask(question: Omit<TextQuestion, "step">): Promise<string>;
  choose(question: Omit<ChoiceQuestion, "step">): Promise<string>;
}

/** Tokens by the names scripts use; bindings, digests, serials and the policy's list are applied here. */
export interface TokenRoom {
  /** Looks at a token, without login. @throws KeyriteError hsm.* */
  inspect(token: string): Promise<TokenInfo>;
  /** Every initialised token of the module that this name is bound to, without login. */
  initialized(token: string): Promise<readonly TokenInfo[]>;
  /** Initialises the blank token bound to this name. */
  initialize(token: string, label: string, soPin: Secret, userPin: Secret): Promise<TokenInfo>;
  /** Goes on with an initialisation that was interrupted when this token had begun it. */
  completeInitialization(
    token: string,
    begun: Pick<TokenInfo, "serial" | "label">,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo>;
  /** Destroys everything on an inactive token, and its security officer's PIN with it. */
  wipe(token: string, soPin: Secret): Promise<WipedToken>;
  activate(token: string, pin: Secret): Promise<void>;
  /** @throws KeyriteError hsm.call-failed when the token is not active. */
  session(token: string): Session;
  /**
   * The public keys on a token as a process of its own finds them, without login; undefined for a token
   * that keeps them itself and not in files of this machine.
   */
  publicKeysFromNewProcess(token: string): Promise<readonly PublicKeyOnToken[] | undefined>;
  deactivate(token: string): Promise<void>;
  logins(): number;
}

export interface PeopleRoom {
  /** Everybody at the roll call, in roll order. */
  readonly attending: readonly Participant[];
  /** The people this step's `by` calls for, in its order; empty in the roll call itself. */
  readonly performers: readonly Participant[];
  /** A person's medium. @throws KeyriteError people.medium */
  medium(person: string, name: string): Promise<Medium>;
  /**
   * Opens a person's identity for the rest of the step, asking for the passphrase unless it is
   * already open; wrong passphrases are recorded and asked again.
   * @throws KeyriteError people.authentication-failed, people.same-person, people.medium
   */
  open(participant: Participant): Promise<Opener>;
  /**
   * The signature line of a person over a note text of the closed list; their identity is opened as by
   * `open`.
   * @throws KeyriteError as `open`, and people.agreement-invalid for any other text
   */
  sign(participant: Participant, text: string): Promise<string>;
}

/** What the engine knows about heads and bindings, for the roll call to show. */
export interface Standing {
  /** SHA-256 of today's site.yaml. */
  readonly bindings: string;
  /** Lines that differ from the site.yaml last agreed to; empty when nothing changed. */
  readonly bindingsChange: readonly string[];
  /** The uncosigned tail, if any: sequence numbers from (inclusive) and to (exclusive). */
  readonly tail: { readonly from: number; readonly to: number } | null;
  /** Least number of people per role in this script. */
  readonly roles: Readonly<Partial<Record<Role, number>>>;
  /** Proves that the ledger extends a head from a medium. @throws KeyriteError ledger.* */
  checkHead(note: string, holder: string): { readonly size: number; readonly root: string };
  /** Size of the newest head that this person has cosigned here, or undefined. */
  lastCosigned(person: string): number | undefined;
}

export interface Outbox {
  /** Writes a file of this ceremony once, synced. @throws KeyriteError site.file-exists */
  writeOnce(file: string, bytes: Uint8Array): Promise<string>;
  /** A file of this ceremony, or undefined when it was not written. @throws KeyriteError usage.bad-file */
  readIfThere(file: string): Promise<Uint8Array | undefined>;
  /** Removes a file that an interruption left half-written, when people have agreed to it on record. */
  remove(file: string): Promise<void>;
}

export interface SiteFiles {
  /** Reads a file of the site folder by its plain name, at most 1 MiB. */
  read(name: string): Promise<Uint8Array>;
  /** Replaces the policy copy for people after a change was agreed. */
  replacePolicy(bytes: Uint8Array): Promise<void>;
  /** Writes a public or sealed file of a share set into the site once. */
  writeShareSetFile(set: string, name: string, bytes: Uint8Array): Promise<void>;
  readShareSetFile(set: string, name: string): Promise<Uint8Array>;
  /** Removes the files of a share set that no record claims, as after a crash; what is not there is no error. */
  removeShareSetFiles(set: string, names: readonly string[]): Promise<void>;
  /** Writes a public file of a KEK (an envelope) into the site once; `kek` is its name in custody. */
  writeKekFile(kek: string, name: string, bytes: Uint8Array): Promise<void>;
  readKekFile(kek: string, name: string): Promise<Uint8Array>;
  /** Replaces kek.json of a KEK that got one more envelope. */
  replaceKekFile(kek: string, name: string, bytes: Uint8Array): Promise<void>;
  /** Removes files of a KEK that no record claims, as after a crash; what is not there is no error. */
  removeKekFiles(kek: string, names: readonly string[]): Promise<void>;
}

/** A file of a backup, by its plain name below the backup's folder, e.g. `keys/<sha256>.p8wrap`. */
export interface VaultFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The folder of one backup in one vault. */
export interface VaultFolder {
  /** Adds files; all of them are durable when it resolves. @throws KeyriteError site.file-exists, site.disk */
  write(files: readonly VaultFile[]): Promise<void>;
  /** Removes files that no record claims, as after a crash. */
  remove(names: readonly string[]): Promise<void>;
  /** Names of all files, sorted. */
  list(): Promise<readonly string[]>;
  /** @throws KeyriteError usage.bad-file when it is missing, a link, or longer than `most` bytes */
  read(name: string, most: number): Promise<Uint8Array>;
}

/** Where key backups are kept: folders outside the site, by the names that site.yaml gives them. */
export interface Vaults {
  /**
   * A new, empty backup folder.
   * @throws KeyriteError site.bindings (no such vault, or inside the site), site.file-exists,
   * site.permissions, site.disk
   */
  create(vault: string, backup: string): Promise<VaultFolder>;
  /** @throws KeyriteError usage.bad-file when the vault holds no such backup */
  open(vault: string, backup: string): Promise<VaultFolder>;
}

/** What became of a step of the open ceremony, newest attempt. */
export interface StepProgress {
  readonly id: string;
  readonly action: string;
  readonly outcome: StepOutcome;
  /** Times of its entries, RFC 3339; null for what did not happen. */
  readonly openedAt: string | null;
  readonly begunAt: string | null;
  readonly endedAt: string | null;
  /** Error code and message of what was refused or failed. */
  readonly code: string | null;
  readonly message: string | null;
}

/** Everything in the ceremony room that an action may touch. */
export interface Room extends Documents {
  readonly step: string;
  readonly ceremony: string;
  readonly origin: string;
  readonly assurance: Assurance;
  readonly console: StepConsole;
  readonly tokens: TokenRoom;
  readonly people: PeopleRoom;
  readonly custody: Custody;
  readonly policy: Policy;
  /** What the ledger says was done on the token with this serial and no device log has shown yet. */
  ledgerActs(serial: string): Acts;
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly files: SiteFiles;
  readonly vaults: Vaults;
  /** The steps of the open ceremony so far, in the script's order. */
  progress(): readonly StepProgress[];
  readonly clock: Clock;
  readonly random: Random;
  /** Adds public material to the step: with its intent from `subject`, else with its outcome. Returns the SHA-256. */
  attach(mediaType: string, bytes: Uint8Array): string;
}
