/** Takes a token that the vendor's own tools initialized into custody: its name, serial and module. */

import { defineAction } from "../ceremony/action.ts";
import { tokenIsUnbound } from "../ceremony/conditions.ts";
import { parseFact, type FactOf } from "../ceremony/facts.ts";
import { label } from "../ceremony/words.ts";
import { digestOf } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { boundFact, plannedBinding } from "./initialize-token.ts";
import { tokenEvidence, tokenLines } from "./inspect-token.ts";

const params = () => z.strictObject({ token: label });
type Params = z.infer<ReturnType<typeof params>>;

interface Adopted extends JsonObject {
  readonly token: JsonObject;
  readonly bound: FactOf<"token.bound">;
}

export const adoptToken = defineAction<Params, Adopted, Adopted>({
  name: "adopt-token",
  control: "dual",
  params,
  facts: ["token.bound"],
  instruction: (p) => `Adopt token ${p.token}, which its vendor's tools have initialized.`,
  requires: (p) => [tokenIsUnbound(p.token)],
  forecast: (p) => ({ token: {}, bound: plannedBinding(p.token, "vendor") }),
  establishes: (_, { bound }) => [bound],
  admits: (_, { bound }, fact) => digestOf({ ...fact }) === digestOf({ ...bound }),
  async subject(p, room) {
    const info = await room.tokens.inspect(p.token);
    if (!info.initialized || !info.userPinSet) {
      throw new KeyriteError("hsm.not-initialized", `token ${p.token} is not initialized`, {
        hints: ["use initialize-token, or initialize it with the vendor's tools first"],
      });
    }
    const bound = boundFact(p.token, info, "vendor");
    const problem = parseFact(bound);
    if (typeof problem === "string") {
      throw new KeyriteError("hsm.not-supported", `token ${p.token} cannot be named in records`, {
        hints: [problem, "give the token a plain label and serial with its vendor's tools"],
      });
    }
    const data = { token: tokenEvidence(info), bound };
    return { data, shown: tokenLines(info) };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  async settle(p, room, { intent }) {
    const info = await room.tokens.inspect(p.token);
    const same = digestOf(boundFact(p.token, info, "vendor")) === digestOf(intent.bound);
    return {
      shown: [
        "Adopting changes nothing on a token.",
        ...tokenLines(info),
        ...(same ? [] : ["THIS IS NOT WHAT PEOPLE AGREED TO ADOPT: the step can only begin anew."]),
      ],
      data: {},
      choices: same ? ["finish", "undo"] : ["undo"],
    };
  },
  undo: () => Promise.resolve(),
});
