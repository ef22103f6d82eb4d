/**
 * Everything that we issue, judged by other people's tools. openssl must be there; another tool that is
 * not installed is named as absent, and its column of the manual's table stands as it was last asked.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { ask, cell, MANUAL, NONE } from "../support/acceptance-table.ts";
import { type IssuedSet, issueSet, softwareKey, VARIANTS } from "../support/issued-set.ts";
import { OUTSIDERS, WHATS, type What } from "../support/outsiders.ts";
import { TokenKeys } from "../support/softhsm-keys.ts";

const present = OUTSIDERS.filter((tool) => tool.version() !== undefined);
const absent = OUTSIDERS.filter((tool) => !present.includes(tool));
let tokens: TokenKeys | undefined;

before(async () => {
  tokens = await TokenKeys.open();
});
after(() => tokens?.close());

test("openssl is there, and what else is not is said", (t) => {
  assert.ok(present.some(({ name }) => name === "OpenSSL"));
  for (const { name } of absent) t.diagnostic(`${name} is not installed: nothing was asked of it`);
});

/** Every tool but the one that starts slowly judges keys of both kinds; that one those in software. */
for (const variant of VARIANTS) {
  test(`what ${variant.name} signs is accepted by every tool that is there`, async () => {
    const set = await issueSet(
      variant,
      await softwareKey(variant.algorithm),
      await softwareKey(variant.algorithm),
    );
    for (const tool of present) assertAccepted(tool.name, variant.name, ask(tool, set));
    assert.ok(tokens);
    const inToken = await issueSet(
      variant,
      await tokens.key(variant.algorithm),
      await tokens.key(variant.algorithm),
    );
    for (const tool of present.filter(({ name }) => name !== "Java keytool")) {
      assertAccepted(`${tool.name}, key in SoftHSM`, variant.name, ask(tool, inToken));
    }
  });
}

function assertAccepted(who: string, variant: string, answers: ReturnType<typeof ask>): void {
  const judged = WHATS.filter((what) => answers[what].kind !== "not-judged");
  assert.ok(judged.length >= 5, who);
  // NSS 3.87 does not know Ed25519: it cannot even load the root.
  if (who.startsWith("NSS") && variant === "ed25519" && cell(answers).startsWith(NONE)) return;
  assert.equal(`${who}: ${cell(answers)}`, `${who}: accepts all ${judged.length}`);
}

test("every tool refuses every file whose signature is wrong", async () => {
  const variant = VARIANTS.find(({ name }) => name === "p-256") ?? assert.fail("no variant");
  const good = await issueSet(variant, await softwareKey("p-256"), await softwareKey("p-256"));
  // A root is trusted as it is, and nothing in a bundle is signed but the certificates.
  const signed: readonly What[] = WHATS.filter((what) => what !== "root" && what !== "bundle");
  const bad = Object.fromEntries(
    WHATS.map((what) => [what, signed.includes(what) ? broken(good[what]) : good[what]]),
  ) as Record<What, Uint8Array> satisfies IssuedSet;
  for (const tool of present) {
    const answers = ask(tool, bad);
    const accepted = signed.filter((what) => answers[what].kind === "accepts");
    assert.deepEqual(accepted, [], tool.name);
  }
});

/** One bit of the signature's last number changed. */
function broken(der: Uint8Array): Uint8Array {
  return der.map((byte, at) => (at === der.length - 9 ? byte ^ 1 : byte));
}

test("the manual's table has a row for every key and scheme, and names every tool", () => {
  const block = /<!-- generated: acceptance -->([\s\S]*?)<!-- end -->/.exec(
    readFileSync(MANUAL, "utf8"),
  );
  const rows = (block?.[1] ?? "").split("\n").filter((line) => line.startsWith("| "));
  for (const { name } of OUTSIDERS) assert.ok(rows[0]?.includes(name), name);
  for (const { name } of VARIANTS) {
    for (const place of ["software", "SoftHSM"]) {
      const found = rows.filter((row) => row.startsWith(`| ${name} | ${place} `));
      assert.equal(found.length, 1, name);
      const [, , , ...cells] = (found[0] ?? "").split("|").map((one) => one.trim());
      for (const [at, { name: tool }] of OUTSIDERS.entries()) {
        const known = tool !== "NSS certutil" || name !== "ed25519";
        assert.match(cells[at] ?? "", known ? /^accepts all [57]$/ : /^loads none \(/, tool);
      }
    }
  }
});
