/** What is found of an interrupted initialization when a file of the site is not there, or cannot be read. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lookAtInitialization } from "../../src/actions/lib/settle-initialization.ts";
import type { Room } from "../../src/ceremony/action.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";

const INFO = {
  label: "",
  serial: "",
  manufacturer: "M",
  model: "X",
  firmware: "1",
  pinWarnings: [],
};
const set = (name: string) => ({ set: name, threshold: 2, holders: ["ana", "ben"] });
const INTENT = { module: "m", others: [], activation: set("act-1"), officer: set("off-1") };

/** A token that is blank still, and a site whose share-set.json answers with this. */
function look(code: ErrorCode): ReturnType<typeof lookAtInitialization> {
  const room = {
    tokens: {
      initialized: () => Promise.resolve([]),
      inspect: () => Promise.resolve({ ...INFO, initialized: false, moduleDigest: "m" }),
    },
    files: { readShareSetFile: () => Promise.reject(new KeyriteError(code, "cannot read it")) },
    people: { attending: [] },
  };
  return lookAtInitialization("alpha", room as unknown as Room, INTENT);
}

test("a share set that is not there was not made to its end", async () => {
  const { shown, choices } = await look("site.missing");
  assert.match(shown.join("\n"), /Share set act-1 was not made to its end/);
  assert.deepEqual(choices, ["undo"]);
});

test("C08: one that cannot be read is not said to be unfinished, and nothing is decided about it", async () => {
  for (const code of ["site.disk", "site.permissions", "usage.bad-file"] as const) {
    await assert.rejects(look(code), { code });
  }
});
