/** A stage with a token under a share set, and everything people can bring to its activation that is wrong. */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encryptTo, x25519Recipient } from "../../src/lib/age.ts";
import { makeShareSet, PENDING, type MadeShareSet } from "../../src/shares/make-share-set.ts";
import { secretOf, seededRandom } from "./identities.ts";
import type { Dice } from "./random-mutations.ts";
import { CAST, foundedStage, INITIALIZE, script, STEP } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

/** Who holds a share; the first two of them are called on. */
export const HOLDERS = ["ben", "cleo", "dan"] as const;
export const ACTIVATE = script([STEP.activate, STEP.deactivate]);
/** Who ends a ceremony that came to nothing. */
export const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

/** Files by path as somebody leaves them; undefined is a file that is gone. */
export type Files = Readonly<Record<string, Uint8Array | undefined>>;

/** What was done to the files, and what the refusal has to say of it. */
export interface Wrong {
  readonly files: Files;
  readonly message: RegExp;
}

export class SharedStage {
  readonly stage: Stage;
  /** `<set>.g<generation>` of the activation set. */
  readonly title: string;
  readonly #others = new Map<string, Promise<MadeShareSet>>();

  private constructor(stage: Stage) {
    this.stage = stage;
    const ref = stage.history.custody.tokens.get("alpha")?.sets.activation;
    if (ref === undefined) throw new Error("the token has no activation set");
    this.title = `${ref.set}.g${ref.generation}`;
  }

  static async create(): Promise<SharedStage> {
    const stage = await foundedStage();
    await stage.run(INITIALIZE, CAST);
    return new SharedStage(stage);
  }

  shareOf(person: string): string {
    return join(this.stage.medium(person).folder, "shares", `${this.title}.share.age`);
  }

  share(person: string): Uint8Array {
    return readFileSync(this.shareOf(person));
  }

  /** Every copy of the sealed PIN. */
  sealedFiles(): readonly string[] {
    return [
      join(this.stage.folder, "share-sets", this.title, "sealed.age"),
      ...HOLDERS.map((name) => join(this.stage.medium(name).folder, "sealed", `${this.title}.age`)),
    ];
  }

  /** A set for the same holders that nobody agreed to. */
  otherSet(id: string, generation: number): Promise<MadeShareSet> {
    const name = `${id} ${generation}`;
    const made =
      this.#others.get(name) ??
      makeShareSet({
        purpose: "activation",
        id,
        generation,
        token: { serial: PENDING, label: "alpha" },
        threshold: 2,
        holders: HOLDERS.map((person) => {
          return { person, recipient: this.stage.person(person).card.recipient };
        }),
        secret: secretOf("another PIN altogether"),
        random: seededRandom(name),
      });
    this.#others.set(name, made);
    return made;
  }

  /** What a holder's own share file says, sealed again by them or for another, altered on the way. */
  async resealed(
    from: string,
    to: string,
    alter: (content: Uint8Array) => Uint8Array = (content) => content,
  ): Promise<Uint8Array> {
    const content = await this.stage.person(from).opened.opener.open(this.share(from));
    const recipient = x25519Recipient(this.stage.person(to).card.recipient);
    const bytes = content.use((secret) => alter(Uint8Array.from(secret)));
    content.wipe();
    return encryptTo([recipient], bytes);
  }

  /** Lays the files, does something, and puts back what was there. */
  async with<T>(files: Files, work: () => Promise<T>): Promise<T> {
    const before = new Map<string, Uint8Array>();
    for (const [file, bytes] of Object.entries(files)) {
      before.set(file, readFileSync(file));
      if (bytes === undefined) rmSync(file);
      else writeFileSync(file, bytes);
    }
    try {
      return await work();
    } finally {
      for (const [file, bytes] of before) writeFileSync(file, bytes);
    }
  }
}

type Kind = (at: SharedStage, dice: Dice) => Wrong | Promise<Wrong>;

/** Either of the two who are called on. */
function victim(dice: Dice): { readonly one: string; readonly other: string } {
  const one = dice.pick(["ben", "cleo"] as const);
  return { one, other: one === "ben" ? "cleo" : "ben" };
}

function named(person: string, what = ""): RegExp {
  return new RegExp(`share of ${person} in set [a-z0-9.]+ is refused: ${what}`);
}

function changed(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(bytes.length);
  const by = 1 + dice.below(255);
  return bytes.map((byte, i) => (i === at ? byte ^ by : byte));
}

const foreign: Kind = async (at, dice) => {
  const { one } = victim(dice);
  const id = dice.pick(["sother", "sthird"]);
  const { shares } = await at.otherSet(id, 1);
  return {
    files: { [at.shareOf(one)]: shares.get(one) },
    message: named(one, `it is of share set ${id}`),
  };
};

const stale: Kind = async (at, dice) => {
  const { one } = victim(dice);
  const generation = 2 + dice.below(3);
  const { shares } = await at.otherSet(at.title.replace(".g1", ""), generation);
  const message = named(one, `it is of generation ${generation}, which is not in use`);
  return { files: { [at.shareOf(one)]: shares.get(one) }, message };
};

const allForeign: Kind = async (at) => {
  const { shares } = await at.otherSet("sother", 1);
  const files = HOLDERS.map((person) => [at.shareOf(person), shares.get(person)] as const);
  return { files: Object.fromEntries(files), message: named("ben", "it is of share set sother") };
};

const officers: Kind = (at, dice) => {
  const { one } = victim(dice);
  const folder = join(at.stage.medium(one).folder, "shares");
  const other = readdirSync(folder).find((file) => !file.startsWith(at.title)) ?? "";
  return {
    files: { [at.shareOf(one)]: readFileSync(join(folder, other)) },
    message: named(one, "it is of share set"),
  };
};

const swapped: Kind = (at) => ({
  files: { [at.shareOf("ben")]: at.share("cleo"), [at.shareOf("cleo")]: at.share("ben") },
  message: named("ben", "it is the share of cleo"),
});

const anothers: Kind = (at, dice) => {
  const { one } = victim(dice);
  const other = dice.pick(HOLDERS.filter((name) => name !== one));
  return {
    files: { [at.shareOf(one)]: at.share(other) },
    message: named(one, `it is the share of ${other}`),
  };
};

const sealedToAnother: Kind = async (at, dice) => {
  const { one, other } = victim(dice);
  return {
    files: { [at.shareOf(one)]: await at.resealed(other, one) },
    message: named(one, `it is the share of ${other}`),
  };
};

const sealedAgain: Kind = async (at, dice) => {
  const { one } = victim(dice);
  return {
    files: { [at.shareOf(one)]: await at.resealed(one, one) },
    message: named(one, "it was re-encrypted since it was issued"),
  };
};

const editedAndSealed: Kind = async (at, dice) => {
  const { one } = victim(dice);
  const file = await at.resealed(one, one, (content) => changed(content, dice));
  return { files: { [at.shareOf(one)]: file }, message: named(one) };
};

/** One digit of the share itself, which stands last: only the commitment betrays it. */
const digitChanged: Kind = async (at, dice) => {
  const { one } = victim(dice);
  const file = await at.resealed(one, one, (content) => {
    const place = content.length - 2 - dice.below(64);
    return content.map((byte, i) => (i === place ? (byte === 0x30 ? 0x31 : 0x30) : byte));
  });
  return {
    files: { [at.shareOf(one)]: file },
    message: named(one, "its content was altered and re-encrypted"),
  };
};

const damaged: Kind = (at, dice) => {
  const { one } = victim(dice);
  return { files: { [at.shareOf(one)]: changed(at.share(one), dice) }, message: named(one) };
};

const cut: Kind = (at, dice) => {
  const { one } = victim(dice);
  const share = at.share(one);
  return {
    files: { [at.shareOf(one)]: share.slice(0, dice.below(share.length)) },
    message: named(one),
  };
};

const noise: Kind = (at, dice) => {
  const { one } = victim(dice);
  const bytes = Uint8Array.from({ length: dice.below(700) }, () => dice.below(256));
  return { files: { [at.shareOf(one)]: bytes }, message: named(one) };
};

const gone: Kind = (at, dice) => {
  const { one } = victim(dice);
  return {
    files: { [at.shareOf(one)]: undefined },
    message: new RegExp(`medium of ${one} holds no share of set`),
  };
};

const pinDamaged: Kind = (at, dice) => ({
  files: Object.fromEntries(
    at.sealedFiles().map((file) => [file, changed(readFileSync(file), dice)]),
  ),
  message: /no copy of the sealed secret of set .* is the one that was made with it/,
});

const pinForeign: Kind = async (at) => {
  const { sealed, shares } = await at.otherSet("sother", 1);
  const pins = at.sealedFiles().map((file) => [file, sealed] as const);
  const theirs = HOLDERS.map((person) => [at.shareOf(person), shares.get(person)] as const);
  return {
    files: Object.fromEntries([...pins, ...theirs]),
    message: named("ben", "it is of share set"),
  };
};

/** Kinds of what is wrong, by name. */
export const KINDS_OF_WRONG: Readonly<Record<string, Kind>> = {
  foreign,
  stale,
  allForeign,
  officers,
  swapped,
  anothers,
  sealedToAnother,
  sealedAgain,
  editedAndSealed,
  digitChanged,
  damaged,
  cut,
  noise,
  gone,
  pinDamaged,
  pinForeign,
};
