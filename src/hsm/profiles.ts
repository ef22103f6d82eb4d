/**
 * Module profiles: by name, what a module cannot do or reports wrongly. Only what was seen on the
 * module itself is waived, each in one sentence that goes into evidence and report.
 */

import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { AttributeName } from "./constants.ts";

/** What a template is about; a module may be wrong about one and right about another. */
export type Subject =
  "generated-public" | "generated-private" | "restored-public" | "restored-private" | "kek";

const GENERATED: readonly Subject[] = ["generated-public", "generated-private"];
const RESTORED: readonly Subject[] = ["restored-public", "restored-private"];
const ALL: readonly Subject[] = [...GENERATED, ...RESTORED, "kek"];

export interface Waiver {
  readonly on: readonly Subject[];
  readonly attributes: readonly AttributeName[];
  /** True when the module refuses the attribute in a template; otherwise it is asked for. */
  readonly omit: boolean;
  /** What the module answers instead of the truth. Any other wrong answer is not excused. */
  readonly reads: "nothing" | boolean | number;
  readonly sentence: string;
}

export interface ModuleProfile {
  readonly name: string;
  /** Files where packages of common systems put the module, most usual first. */
  readonly usualPaths: readonly string[];
  /** How the module learns where its tokens lie. */
  readonly tokenDirectory: "softhsm-configuration" | "nss-parameters" | "none";
  /**
   * `init-token`: C_InitToken with the security officer's PIN. `blank-officer`: the officer logs in
   * with an empty PIN, sets the user PIN, and has no PIN of their own.
   */
  readonly initialization: "init-token" | "blank-officer";
  /** True when tokens that cannot be written are no key tokens and are left out. */
  readonly skipsWriteProtected: boolean;
  /** Sentences about its tokens as such. */
  readonly tokenWaivers: readonly string[];
  /** What it gets wrong on keys. */
  readonly keyWaivers: readonly Waiver[];
  /** Algorithms whose private keys it makes but cannot wrap. */
  readonly cannotWrap: readonly KeyAlgorithm[];
  /** Named when it wraps a key all the same whose CKA_EXTRACTABLE is false. */
  readonly ignoresExtractable: string | undefined;
  /** Named when a KEK unwraps readable keys whatever its CKA_UNWRAP_TEMPLATE says. */
  readonly ignoresUnwrapTemplate: string | undefined;
  /** True when an EC private key is taken only together with its public point. */
  readonly wantsPublicPoint: boolean;
}

const GENERIC: ModuleProfile = {
  name: "generic",
  usualPaths: [],
  tokenDirectory: "none",
  initialization: "init-token",
  skipsWriteProtected: false,
  tokenWaivers: [],
  keyWaivers: [],
  cannotWrap: [],
  ignoresExtractable: undefined,
  ignoresUnwrapTemplate: undefined,
  wantsPublicPoint: false,
};

const LIBRARY_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
  "/opt/homebrew/lib",
] as const;

const SOFTHSM: ModuleProfile = {
  ...GENERIC,
  name: "softhsm",
  usualPaths: [
    ...LIBRARY_FOLDERS.map((folder) => `${folder}/softhsm/libsofthsm2.so`),
    ...LIBRARY_FOLDERS.map((folder) => `${folder}/libsofthsm2.so`),
  ],
  tokenDirectory: "softhsm-configuration",
  tokenWaivers: [
    "SoftHSM keeps keys in files on this machine and is no hardware security module",
    "SoftHSM never locks a PIN, whatever number of wrong ones it has seen",
  ],
  keyWaivers: [
    {
      on: ["kek"],
      attributes: ["VALUE_LEN"],
      omit: true,
      reads: 0,
      sentence:
        "SoftHSM gives the length of an unwrapped KEK as 0: the check value is what proves it",
    },
  ],
  cannotWrap: ["ed25519"],
};

const NSS: ModuleProfile = {
  ...GENERIC,
  name: "nss",
  usualPaths: [
    ...LIBRARY_FOLDERS.map((folder) => `${folder}/libsoftokn3.so`),
    ...LIBRARY_FOLDERS.map((folder) => `${folder}/nss/libsoftokn3.so`),
    "/opt/homebrew/opt/nss/lib/libsoftokn3.dylib",
  ],
  tokenDirectory: "nss-parameters",
  initialization: "blank-officer",
  skipsWriteProtected: true,
  tokenWaivers: [
    "NSS softoken keeps keys in a database on this machine and is no hardware security module",
    "NSS softoken has no security officer PIN: the one made here guards nothing",
    "NSS softoken keeps one fixed label and serial: the label asked for is not stored, and only the folder tells two databases apart",
    "NSS softoken never reports wrong PINs and never locks one",
    "NSS softoken replaces a key silently when another with the same CKA_ID is made",
    "NSS softoken keeps its own copies of the PIN in memory until the process ends",
  ],
  keyWaivers: [
    {
      on: ALL,
      attributes: ["COPYABLE", "DESTROYABLE"],
      omit: true,
      reads: "nothing",
      sentence: "NSS softoken knows neither CKA_COPYABLE nor CKA_DESTROYABLE: keys can be copied",
    },
    {
      on: GENERATED,
      attributes: ["LOCAL"],
      omit: false,
      reads: false,
      sentence:
        "NSS softoken reads CKA_LOCAL as false: only the record says that the key was born there",
    },
    {
      on: GENERATED,
      attributes: ["KEY_GEN_MECHANISM"],
      omit: false,
      reads: "nothing",
      sentence:
        "NSS softoken has no CKA_KEY_GEN_MECHANISM: only the record says how a key was made",
    },
    {
      on: ["generated-public"],
      attributes: ["MODULUS_BITS"],
      omit: false,
      reads: "nothing",
      sentence:
        "NSS softoken does not give CKA_MODULUS_BITS back: the size is judged by the modulus itself",
    },
    {
      on: ["restored-private"],
      attributes: ["SIGN_RECOVER", "DECRYPT", "UNWRAP", "DERIVE"],
      omit: false,
      reads: true,
      sentence:
        "NSS softoken gives an unwrapped key uses that the template denies it: it may decrypt, unwrap or derive, and sign with recovery",
    },
  ],
  ignoresExtractable:
    "NSS softoken wraps a key whose CKA_EXTRACTABLE is false: locking it guards nothing there",
  ignoresUnwrapTemplate:
    "NSS softoken ignores CKA_UNWRAP_TEMPLATE: whoever is logged in and holds a wrapped key can unwrap it readable",
  wantsPublicPoint: true,
};

/** Every profile, in the order the manual presents them. */
export const PROFILES: readonly ModuleProfile[] = [SOFTHSM, NSS, GENERIC];

/**
 * The profile of that name.
 * @throws KeyriteError site.bindings when there is none.
 */
export function profileNamed(name: string): ModuleProfile {
  const found = PROFILES.find((profile) => profile.name === name);
  if (found !== undefined) return found;
  throw new KeyriteError("site.bindings", `there is no module profile ${name}`, {
    hints: [`profiles are ${PROFILES.map((profile) => profile.name).join(", ")}`],
  });
}

type Waivers = ReadonlyMap<AttributeName, Waiver>;
const byAttribute = new Map<ModuleProfile, Map<Subject, Waivers>>();

/** The waivers about one kind of object, by the attributes they are about. */
export function waiversFor(profile: ModuleProfile, subject: Subject): Waivers {
  const ofProfile = byAttribute.get(profile) ?? new Map<Subject, Waivers>();
  byAttribute.set(profile, ofProfile);
  const known = ofProfile.get(subject);
  if (known !== undefined) return known;
  const waivers = new Map(
    profile.keyWaivers
      .filter(({ on }) => on.includes(subject))
      .flatMap((waiver) => waiver.attributes.map((attribute) => [attribute, waiver] as const)),
  );
  ofProfile.set(subject, waivers);
  return waivers;
}
