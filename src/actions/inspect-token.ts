/** Looks at a token and records what it is, without login. */

import { defineAction } from "../ceremony/action.ts";
import type { Room } from "../ceremony/action.ts";
import { label } from "../ceremony/words.ts";
import { visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import type { TokenInfo } from "../hsm/token.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

/** What an auditor wants to know of a device (KG-4): make, model, serial, firmware, mechanisms. */
export function tokenEvidence(info: TokenInfo): JsonObject {
  return {
    manufacturer: info.manufacturer,
    model: info.model,
    serial: info.serial,
    label: info.label,
    firmware: info.firmware,
    hardware: info.hardware,
    module: info.moduleDigest,
    profile: info.profile,
    initialized: info.initialized,
    pinWarnings: [...info.pinWarnings],
    algorithms: [...info.algorithms],
    mechanisms: [...info.mechanisms],
  };
}

export function tokenLines(info: TokenInfo): readonly string[] {
  return [
    `Manufacturer ${visible(info.manufacturer)}, model ${visible(info.model)}, firmware ${visible(info.firmware)}`,
    `Serial ${orNone(info.serial)}, label ${orNone(info.label)}`,
    `Module SHA-256 ${info.moduleDigest}`,
    info.initialized ? "The token is initialized." : "The token is not initialized.",
    ...info.pinWarnings.map((flag) => `WARNING: the token reports ${flag}`),
  ];
}

/** Judges a token by what it says of its PINs; the room reads that before it hears that nothing is asked of it. */
export function refusedAsShown(
  room: Pick<Room, "console">,
  info: TokenInfo,
  refuse: (info: TokenInfo) => void,
): void {
  try {
    refuse(info);
  } catch (error) {
    for (const line of tokenLines(info)) room.console.tell(line);
    throw error;
  }
}

// A blank token may have neither; an empty place in a sentence would be read over.
function orNone(text: string): string {
  return text.trim() === "" ? "(none yet)" : visible(text);
}

export const inspectToken = defineAction({
  name: "inspect-token",
  control: "single",
  params: () => z.strictObject({ token: label }),
  facts: [],
  instruction: (p) =>
    `Inspect token ${p.token}: compare what it says of itself with the plate on the device.`,
  forecast: () => ({}),
  async subject(p, room) {
    const info = await room.tokens.inspect(p.token);
    return { data: tokenEvidence(info), shown: tokenLines(info) };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("The token was only looked at."),
});
