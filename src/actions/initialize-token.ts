/**
 * Initializes a blank token in an order no crash can turn into a brick: both PINs are made, sealed,
 * split, written to every medium and proved by every holder before the token is touched at all.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { tokenIsUnbound } from "../ceremony/conditions.ts";
import type { Fact, FactOf } from "../ceremony/facts.ts";
import { label, role } from "../ceremony/words.ts";
import { hex, utf8, visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { ownBytes, Secret, wiping } from "../lib/secret.ts";
import type { MadeShareSet } from "../shares/make-share-set.ts";
import type { TokenInfo } from "../hsm/token.ts";
import { tokenEvidence, tokenLines } from "./inspect-token.ts";
import { planSet, setLines, splitAndProve, type SetIntent } from "./lib/new-share-sets.ts";
import {
  finishInitialization,
  lookAtInitialization,
  takeBackSets,
  type FoundInitialization,
} from "./lib/settle-initialization.ts";
import { shareSetFact } from "./lib/share-sets.ts";

const params = () => z.strictObject({ token: label, holders: role, officers: role });
type Params = z.infer<ReturnType<typeof params>>;

interface Intent extends JsonObject {
  /** SHA-256 of the module file. */
  readonly module: string;
  /** Serials of the tokens of that module that were initialized before. */
  readonly others: readonly string[];
  readonly activation: SetIntent;
  readonly officer: SetIntent;
}
interface Initialized extends JsonObject {
  readonly token: JsonObject;
  readonly bound: FactOf<"token.bound">;
  readonly activation: FactOf<"share-set.made">;
  readonly officer: FactOf<"share-set.made">;
}

export const initializeToken = defineAction<Params, Intent, Initialized>({
  name: "initialize-token",
  control: "dual",
  params,
  facts: ["token.bound", "share-set.made"],
  instruction: (p) =>
    p.holders === p.officers
      ? `Initialize token ${p.token}; split its PIN and its security-officer PIN between people who attend as ${p.holders}.`
      : `Initialize token ${p.token}; split its PIN between people who attend as ${p.holders}, its security-officer PIN between people who attend as ${p.officers}.`,
  requires: (p) => [tokenIsUnbound(p.token)],
  forecast: (p) => forecast(p),
  establishes: (_, e): readonly Fact[] => [e.bound, e.activation, e.officer],
  admits: (p, intent, fact) => {
    if (fact.kind === "token.bound") {
      const { token, module, activation } = fact;
      return token === p.token && module === intent.module && activation === "sealed";
    }
    if (fact.kind !== "share-set.made" || fact.token !== p.token) return false;
    const agreed = fact.purpose === "activation" ? intent.activation : intent.officer;
    return (
      fact.set === agreed.set &&
      fact.generation === 1 &&
      fact.threshold === agreed.threshold &&
      fact.holders.join() === agreed.holders.join()
    );
  },
  owes: () => ["token.bound", "share-set.made", "share-set.made"],
  async subject(p, room) {
    const info = await room.tokens.inspect(p.token);
    const rules = room.policy.shareSets;
    const activation = planSet(room, p.holders, rules.activation);
    const officer = planSet(room, p.officers, rules["security-officer"]);
    const others = (await room.tokens.initialized(p.token)).map(({ serial }) => serial);
    return {
      data: { module: info.moduleDigest, others, activation, officer },
      shown: [
        ...tokenLines(info),
        `EVERYTHING ON THE TOKEN WILL BE ERASED; its label will be ${p.token}.`,
        ...setLines("Activation", activation),
        ...setLines("Security officer", officer),
      ],
    };
  },
  async run(p, room, { subject, settled }) {
    if (settled !== null) {
      const found = settled as FoundInitialization;
      const { info, user, so } = await finishInitialization(p.token, room, subject, found);
      return evidence(p, info, user, so);
    }
    const pin = newPin(room);
    const soPin = newPin(room);
    return wiping([pin, soPin], async () => {
      const user = await splitAndProve(
        room,
        { ...subject.activation, purpose: "activation", label: p.token },
        pin,
      );
      const so = await splitAndProve(
        room,
        { ...subject.officer, purpose: "security-officer", label: p.token },
        soPin,
      );
      const working = room.console.progress(`initializing token ${p.token}`);
      const info = await room.tokens.initialize(p.token, p.token, soPin, pin).finally(() => {
        working.end();
      });
      room.console.tell(`Token ${p.token} is initialized; its serial is ${visible(info.serial)}.`);
      return evidence(p, info, user, so);
    });
  },
  settle: (p, room, { intent }) => lookAtInitialization(p.token, room, intent),
  undo: (_, room, { intent }) => takeBackSets(room, [intent.activation, intent.officer]),
});

// 32 hex digits: 128 bits from the CSPRNG, in characters every token takes.
function newPin(room: Room): Secret {
  const random = room.random.bytes(16);
  const digits = ownBytes(32);
  random.forEach((byte, i) => {
    digits.set(HEX.subarray(byte >> 4, (byte >> 4) + 1), 2 * i);
    digits.set(HEX.subarray(byte & 15, (byte & 15) + 1), 2 * i + 1);
  });
  random.fill(0);
  return Secret.take(digits);
}

const HEX = utf8("0123456789abcdef");

type Proved = Pick<MadeShareSet, "set" | "json">;

function evidence(p: Params, info: TokenInfo, user: Proved, so: Proved): Initialized {
  return {
    token: tokenEvidence(info),
    bound: boundFact(p.token, info, "sealed"),
    activation: shareSetFact(user, p.token),
    officer: shareSetFact(so, p.token),
  };
}

/** The fact that ties a token's name to a device. */
export function boundFact(
  token: string,
  info: TokenInfo,
  activation: "sealed" | "vendor",
): FactOf<"token.bound"> {
  return {
    kind: "token.bound",
    token,
    module: info.moduleDigest,
    profile: info.profile,
    serial: info.serial,
    label: info.label,
    manufacturer: info.manufacturer,
    model: info.model,
    firmware: info.firmware,
    activation,
  };
}

function forecast(p: Params): Initialized {
  const digest = "0".repeat(64);
  const set = (purpose: "activation" | "security-officer"): FactOf<"share-set.made"> => ({
    kind: "share-set.made",
    set: `planned-${hex(utf8(p.token)).slice(0, 8)}-${purpose.slice(0, 3)}`,
    generation: 1,
    purpose,
    token: p.token,
    threshold: 2,
    holders: ["planned-a", "planned-b"],
    sha256: digest,
    sealed: digest,
  });
  return {
    token: {},
    bound: plannedBinding(p.token, "sealed"),
    activation: set("activation"),
    officer: set("security-officer"),
  };
}

/** The binding of a token as far as planning can foresee it. */
export function plannedBinding(
  token: string,
  activation: "sealed" | "vendor",
): FactOf<"token.bound"> {
  return {
    kind: "token.bound",
    token,
    module: "0".repeat(64),
    profile: "planned",
    serial: "planned",
    label: token,
    manufacturer: "",
    model: "",
    firmware: "",
    activation,
  };
}
