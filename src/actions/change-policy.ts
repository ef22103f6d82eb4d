/** Adopts a new policy: every changed line is shown and agreed to, then its digest is in force. */

import { defineAction } from "../ceremony/action.ts";
import { lineChanges } from "../ceremony/line-changes.ts";
import { productionObjections, readPolicy } from "../ceremony/policy.ts";
import { label } from "../ceremony/words.ts";
import { fromUtf8, sha256Hex, utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { refuseLockingOut } from "./lib/needed-person.ts";

interface NewPolicy extends JsonObject {
  readonly sha256: string;
  /** The exact text that was shown, line by line, as changes. */
  readonly text: string;
}
interface Adopted extends JsonObject {
  readonly sha256: string;
}

const params = () => z.strictObject({ file: label });

export const changePolicy = defineAction<z.infer<ReturnType<typeof params>>, NewPolicy, Adopted>({
  name: "change-policy",
  control: "dual",
  params,
  facts: ["policy.adopted"],
  instruction: (p) => `Adopt the policy in ${p.file}.`,
  forecast: (_, custody) => ({ sha256: custody.policy ?? "0".repeat(64) }),
  establishes: (_, { sha256 }) => [{ kind: "policy.adopted", sha256 }],
  admits: (_, subject, fact) => fact.kind === "policy.adopted" && fact.sha256 === subject.sha256,
  async subject(p, room) {
    const bytes = await room.files.read(p.file);
    const policy = readPolicy(bytes, p.file);
    const objections = room.assurance === "production" ? productionObjections(policy) : [];
    if (objections.length > 0) {
      throw new KeyriteError("script.refused", `${p.file} is no policy for production`, {
        hints: objections,
      });
    }
    refuseLockingOut(policy, room.custody, room.clock.now());
    const current = room.attachment(room.policy.sha256);
    const before = current === undefined ? "" : fromUtf8(current);
    const text = fromUtf8(bytes);
    const changes = lineChanges(before, text);
    if (changes.length === 0) {
      throw new KeyriteError("script.refused", `${p.file} is the policy already in force`);
    }
    return {
      data: { sha256: policy.sha256, text },
      shown: [
        "What changes, each line with the others of its part of the file:",
        ...changes.map((change) => `  ${visible(change)}`),
      ],
    };
  },
  async run(_, room, { subject }) {
    const bytes = utf8(subject.text);
    const sha256 = room.attach("application/yaml", bytes);
    await room.files.replacePolicy(bytes);
    return { sha256 };
  },
  async settle(_, room, { intent }) {
    const present = sha256Hex(await room.files.read("policy.yaml"));
    const which =
      present === intent.sha256
        ? "the new one already, though nothing of it is in force"
        : present === room.policy.sha256
          ? "still the one in force"
          : "NEITHER the one in force NOR the new one";
    return {
      shown: [`The policy is in force when it is recorded. The copy policy.yaml is ${which}.`],
      data: { present },
      choices: ["finish", "undo"],
    };
  },
  async undo(_, room) {
    const bytes = room.attachment(room.policy.sha256);
    if (bytes === undefined) {
      throw new KeyriteError("ledger.damaged", "the policy in force is not attached");
    }
    await room.files.replacePolicy(bytes);
  },
});
