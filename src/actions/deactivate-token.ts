/** Logs out of a token and closes its session. */

import { defineAction } from "../ceremony/action.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import { nothingIsExtractable } from "../ceremony/conditions-copies.ts";
import { label } from "../ceremony/words.ts";
import { z } from "../lib/schema.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

export const deactivateToken = defineAction({
  name: "deactivate-token",
  control: "single",
  params: () => z.strictObject({ token: label }),
  facts: ["token.deactivated"],
  instruction: (p) => `Deactivate token ${p.token}.`,
  requires: (p) => [tokenIsActive(p.token), nothingIsExtractable(p.token)],
  forecast: (p) => ({ token: p.token }),
  establishes: (p) => [{ kind: "token.deactivated", token: p.token }],
  admits: (p, _, fact) => fact.kind === "token.deactivated" && fact.token === p.token,
  async run(p, room) {
    await room.tokens.deactivate(p.token);
    room.console.tell(`Token ${p.token} is no longer active.`);
    return { token: p.token };
  },
  ...nothingIsLeft("The login has ended with the process that made it."),
});
