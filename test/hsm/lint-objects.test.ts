/** Every rule for objects on a token has an object that breaks it, on the fake and on SoftHSM. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import { lint, LINT_RULES } from "../../src/hsm/lint.ts";
import type { RawAttribute } from "../../src/hsm/raw.ts";
import type { AttributeName } from "../../src/hsm/constants.ts";
import { behindOurBack, ready, type Ready } from "../support/backup-rig.ts";
import { fakeRig } from "../support/fake-hsm.ts";
import type { Rig } from "../support/rig.ts";
import { softhsmRig } from "../support/softhsm.ts";

type Flags = Partial<Record<AttributeName, boolean>>;

interface Breach {
  readonly rule: string;
  readonly of: "secret" | "private" | "public";
  readonly flags: Flags;
}

const KEK: Flags = { WRAP: true, UNWRAP: true };
const BREACHES: readonly Breach[] = [
  { rule: "wrap-and-decrypt", of: "secret", flags: { ...KEK, DECRYPT: true } },
  { rule: "unwrap-and-encrypt", of: "secret", flags: { ...KEK, ENCRYPT: true } },
  { rule: "kek-with-other-use", of: "secret", flags: { ...KEK, SIGN: true } },
  { rule: "extractable-kek", of: "secret", flags: { ...KEK, EXTRACTABLE: true } },
  { rule: "modifiable-kek", of: "secret", flags: { ...KEK, MODIFIABLE: true } },
  { rule: "copyable-kek", of: "secret", flags: { ...KEK, COPYABLE: true } },
  { rule: "foreign-kek", of: "secret", flags: KEK },
  { rule: "public-secret", of: "secret", flags: { ...KEK, PRIVATE: false } },
  { rule: "readable-key", of: "secret", flags: { SENSITIVE: false, EXTRACTABLE: true } },
  { rule: "extractable-private-key", of: "private", flags: { SIGN: true, EXTRACTABLE: true } },
  { rule: "copyable-private-key", of: "private", flags: { SIGN: true, COPYABLE: true } },
  { rule: "sign-and-decrypt", of: "private", flags: { SIGN: true, DECRYPT: true } },
  { rule: "unwrap-and-other-use", of: "private", flags: { UNWRAP: true, DECRYPT: true } },
  { rule: "recovering-signature", of: "private", flags: { SIGN: true, SIGN_RECOVER: true } },
  { rule: "deriving-key", of: "private", flags: { DERIVE: true } },
  { rule: "encrypting-public-key", of: "public", flags: { ENCRYPT: true } },
];

const SAFE: Flags = { TOKEN: true, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false };
const OFF: Flags = {
  ...{ DECRYPT: false, SIGN: false, SIGN_RECOVER: false, UNWRAP: false, COPYABLE: false },
};
const SECRET: Flags = { ...SAFE, ENCRYPT: false, DECRYPT: false, SIGN: false, VERIFY: false };
const MORE: Flags = { WRAP: false, UNWRAP: false, DERIVE: false, COPYABLE: false };

function entries(...flags: readonly Flags[]): readonly RawAttribute[] {
  const merged = Object.entries(Object.assign({}, ...flags) as Flags);
  // SoftHSM obeys CKA_MODIFIABLE false as soon as it has read it.
  merged.sort(([a], [b]) => Number(a === "MODIFIABLE") - Number(b === "MODIFIABLE"));
  return merged.map(([name, value]) => encode(name as AttributeName, value));
}

/** Makes the object below our layer, under a CKA_ID of its own. */
function plant(state: Ready, { of, flags }: Breach, id: RawAttribute): Promise<void> {
  return behindOurBack(state, async (raw, session) => {
    if (of === "secret") {
      const value = encode("VALUE", new Uint8Array(32).fill(3));
      const kind = [encode("CLASS", 4), encode("KEY_TYPE", 0x1f), id, value];
      const rest = entries(SECRET, MORE, { MODIFIABLE: false }, flags);
      raw.createObjectNow(session, [...kind, ...rest]);
      return;
    }
    const size = [encode("MODULUS_BITS", 3072), encode("PUBLIC_EXPONENT", Uint8Array.of(1, 0, 1))];
    const publicFlags = entries(
      { TOKEN: true, PRIVATE: false, ENCRYPT: false },
      of === "public" ? flags : {},
    );
    const privateFlags = entries(SAFE, OFF, { DERIVE: false }, of === "private" ? flags : {});
    await raw.generateKeyPair(session, 0x0, [id, ...size, ...publicFlags], [id, ...privateFlags]);
  });
}

const rigs: readonly (readonly [string, () => Rig])[] = [
  ["the fake", (): Rig => fakeRig()],
  ["SoftHSM", (): Rig => softhsmRig()],
];
for (const [name, makeRig] of rigs) {
  describe(`H11: on ${name}`, () => {
    let state: Ready;
    before(async () => {
      state = await ready(makeRig());
    });
    after(async () => {
      await state.rig.hsm.close();
      state.rig.remove();
    });

    test("H11: a token as we leave it breaks no rule", async () => {
      assert.deepEqual(await state.session.lintObjects({ keks: [state.kek.ckaId] }), []);
    });

    for (const [index, breach] of BREACHES.entries()) {
      test(`H11: ${breach.rule} is reported of the object that breaks it`, async () => {
        await plant(state, breach, encode("ID", Uint8Array.of(0xbb, index)));
        const ckaId = `bb${index.toString(16).padStart(2, "0")}`;
        const findings = await state.session.lintObjects({ keks: [state.kek.ckaId] });
        const of = findings.filter((finding) => finding.ckaId === ckaId);
        assert.ok(
          of.some(({ rule, objectClass }) => rule === breach.rule && objectClass === breach.of),
          JSON.stringify(of),
        );
        // Known KEKs are not foreign, and a backup that is due is no breach.
        const known = { keks: [state.kek.ckaId, ckaId], backupDue: [ckaId] };
        const excused = (await state.session.lintObjects(known)).filter(
          (finding) => finding.ckaId === ckaId,
        );
        const excusable = ["foreign-kek", "extractable-private-key"];
        assert.equal(
          excused.some(({ rule }) => rule === breach.rule),
          !excusable.includes(breach.rule),
        );
      });
    }

    test("H11: two keys under one CKA_ID are reported", async () => {
      await plant(state, { rule: "", of: "secret", flags: {} }, encode("ID", Uint8Array.of(1, 2)));
      await plant(state, { rule: "", of: "secret", flags: {} }, encode("ID", Uint8Array.of(1, 2)));
      const findings = await state.session.lintObjects();
      assert.ok(findings.some(({ rule, ckaId }) => rule === "shared-id" && ckaId === "0102"));
    });
  });
}

test("H11: a use that the token says nothing of is reported, not taken for none", () => {
  const key = { objectClass: "private", label: "ca", ckaId: "01", keyType: "CKK_EC" } as const;
  const said = { CKA_PRIVATE: true, CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_SIGN: true };
  const off = { CKA_DECRYPT: false, CKA_UNWRAP: false };
  const found = lint([{ ...key, attributes: { ...said, ...off } }], {});
  assert.deepEqual(
    found.map(({ rule, says }) => [rule, says]),
    [["unsaid-use", "the token does not say whether the private key may DERIVE"]],
  );
  const all = { ...said, ...off, CKA_DERIVE: false };
  assert.deepEqual(lint([{ ...key, attributes: all }], {}), []);
});

test("H11: every rule has its breach", () => {
  assert.deepEqual(
    LINT_RULES.map(({ name }) => name),
    BREACHES.map(({ rule }) => rule),
  );
});
