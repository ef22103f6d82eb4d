/** Destroys a generation of a KEK on one token, once nothing that counts depends on it there. */

import { defineAction } from "../ceremony/action.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import { kekName } from "../ceremony/custody-copies.ts";
import { label, slug } from "../ceremony/words.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { kekIs, kekIsKnown, othersOpen } from "./lib/kek-conditions.ts";
import { recordedKek } from "./lib/keks.ts";
import { settledAs, settleDestroying } from "./lib/settle-keks.ts";

const params = () => z.strictObject({ kek: slug, generation: z.int().min(1), token: label });
type Params = z.infer<ReturnType<typeof params>>;

interface Intent extends JsonObject {
  readonly ckaId: string;
  readonly checkValue: string;
  readonly serial: string;
}

export const destroyKek = defineAction<Params, Intent, Intent>({
  name: "destroy-kek",
  control: "dual",
  params,
  facts: ["kek.destroyed"],
  instruction: (p) => `Destroy KEK ${kekName(p)} on token ${p.token}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    kekIsKnown(p),
    kekIs("on", p.token, p),
    othersOpen(p.token, p),
  ],
  forecast: () => ({ ckaId: "00", checkValue: "0".repeat(16), serial: "planned" }),
  establishes: (p) => [
    { kind: "kek.destroyed", kek: p.kek, generation: p.generation, token: p.token },
  ],
  admits: (p, _, fact) =>
    fact.kind === "kek.destroyed" &&
    fact.kek === p.kek &&
    fact.generation === p.generation &&
    fact.token === p.token,
  subject(p, room) {
    const record = recordedKek(room.custody, p.kek, p.generation);
    const ckaId = record.tokens.get(p.token);
    if (ckaId === undefined) {
      throw new KeyriteError("script.refused", `KEK ${kekName(p)} is not on token ${p.token}`);
    }
    const { checkValue } = record;
    const { serial } = room.tokens.session(p.token).info;
    const backups = [...room.custody.backups.values()].filter((b) => kekName(b) === kekName(p));
    return Promise.resolve({
      data: { ckaId, checkValue, serial },
      shown: [
        `KEK ${kekName(p)}, CKA_ID ${ckaId}, check value ${checkValue}, is destroyed on the token with serial ${visible(serial)}.`,
        backups.length === 0
          ? "No backup is wrapped under it."
          : `Backups wrapped under it: ${backups.map(({ backup }) => backup).join(", ")}.`,
      ],
    });
  },
  async run(p, room, { subject, settled }) {
    if (!settledAs(settled, "absent")) await room.tokens.session(p.token).destroyKek(subject);
    room.console.tell(`KEK ${kekName(p)} is not on token ${p.token} any more: it was looked for.`);
    return subject;
  },
  settle: (p, room, { intent }) => settleDestroying(room, p.token, intent),
  // What is not destroyed yet stays as it was.
  undo: () => Promise.resolve(),
});
