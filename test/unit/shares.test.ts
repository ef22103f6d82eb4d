import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromUtf8, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { PENDING } from "../../src/shares/make-share-set.ts";
import { commitmentOf, type ShareSet } from "../../src/shares/share-set.ts";
import { combine, openShare, type EnteredShare } from "../../src/shares/use-share-set.ts";
import { decryptWith, encryptTo, x25519Identity, x25519Recipient } from "../../src/lib/age.ts";
import { Secret } from "../../src/lib/secret.ts";
import { combineShares } from "../../src/shares/shamir.ts";
import { secretOf, textOf } from "../support/identities.ts";
import {
  enter,
  handingOut,
  makeSet,
  NAMES,
  personOf,
  PIN,
  sealFor,
  shareFile,
  shareText,
  subsets,
  TOKEN,
} from "../support/share-sets.ts";

describe("quorums", () => {
  for (const [k, n] of [2, 3, 4, 5].flatMap((n) => [2, 3, 4, 5].map((k) => [k, n] as const))) {
    if (k > n) continue;
    test(`Q02 Q04: ${k} of ${n}: every subset of k or more opens the PIN, no smaller one`, async () => {
      const made = await makeSet(k, n);
      const all = await Promise.all(NAMES.slice(0, n).map((person) => enter(made, person)));
      for (const some of subsets(all)) {
        const pin = combine(made.set, some, made.sealed, TOKEN);
        if (some.length >= k) assert.equal(textOf(await pin), PIN);
        else await assert.rejects(pin, { code: "people.quorum-not-met" });
      }
      assert.ok(
        all.every(({ share }) => !share.wiped),
        "shares are only borrowed",
      );
    });
  }

  test("Q08: one person is counted once, however often their share is entered", async () => {
    const made = await makeSet(2, 3);
    const [one, again] = [await enter(made, "ana"), await enter(made, "ana")];
    await assert.rejects(combine(made.set, [one, again], made.sealed, TOKEN), {
      code: "people.same-person",
      message: "the share of ana was entered twice",
    });
  });

  test("Q02 Q08: one share under two names is refused", async () => {
    const made = await makeSet(2, 3);
    const { share } = await enter(made, "ana");
    const twice = [
      { person: "ana", share },
      { person: "ben", share },
    ];
    await assert.rejects(combine(made.set, twice, made.sealed, TOKEN), {
      code: "people.share-rejected",
      message: /share of ben .* does not match its commitment/,
    });
  });

  test("somebody who holds no share enters none", async () => {
    const made = await makeSet(2, 3);
    const file = shareFile(made, "ana");
    await assert.rejects(enter(made, "eve", file), {
      code: "people.share-rejected",
      message: /eve holds no share/,
    });
    const { share } = await enter(made, "ana");
    const strangers = [{ person: "eve", share }];
    await assert.rejects(combine(made.set, strangers, made.sealed, TOKEN), /eve holds no share/);
  });
});

describe("bad shares are named when they are entered", async () => {
  const made = await makeSet(2, 3);
  const foreign = await makeSet(2, 3, { id: "sother" });
  const newer = await makeSet(2, 3, { generation: 2 });
  const issued = shareFile(made, "ben");
  const content = await shareText(made, "ben");
  const text = fromUtf8(content);
  const lastDigit = (digit: string): string => (digit === "0" ? "1" : "0");

  const files: Readonly<Record<string, [file: Uint8Array, message: RegExp]>> = {
    "Q01: a corrupt byte at the end": [
      issued.map((b, i) => (i === issued.length - 1 ? b ^ 1 : b)),
      /damaged/,
    ],
    "Q01: a corrupt byte in the header": [issued.map((b, i) => (i === 60 ? b ^ 1 : b)), /refused/],
    "a cut file": [issued.slice(0, -1), /damaged/],
    "an empty file": [new Uint8Array(), /damaged/],
    "Q08: another holder's file": [shareFile(made, "ana"), /it is the share of ana/],
    "Q03: a share of another set": [shareFile(foreign, "ben"), /it is of share set sother/],
    "Q03: another holder's share of another set": [
      shareFile(foreign, "ana"),
      /sealed to somebody else/,
    ],
    "Q03: a share of a newer generation": [
      shareFile(newer, "ben"),
      /generation 2, which is not in use/,
    ],
    "a share altered and re-encrypted by its holder": [
      await sealFor("ben", utf8(text.replace(/.\n$/, (end) => `${lastDigit(end.charAt(0))}\n`))),
      /altered and re-encrypted/,
    ],
    "a share re-encrypted unchanged by its holder": [
      await sealFor("ben", content),
      /was re-encrypted since it was issued/,
    ],
    "Q08: another holder's share, re-encrypted to this one": [
      await sealFor("ben", await shareText(made, "ana")),
      /it is the share of ana/,
    ],
    "Q08: another holder's share, renamed and re-encrypted": [
      await sealFor(
        "ben",
        utf8(
          fromUtf8(await shareText(made, "ana"))
            .replace("index 1", "index 2")
            .replace("person ana", "person ben"),
        ),
      ),
      /altered and re-encrypted/,
    ],
    "something else that is sealed to the holder": [
      await sealFor("ben", utf8("shopping list\n")),
      /holds something else/,
    ],
  };
  for (const [name, [file, message]] of Object.entries(files)) {
    test(name, async () => {
      await assert.rejects(enter(made, "ben", file), { code: "people.share-rejected", message });
      await assert.rejects(enter(made, "ben", file), /the share of ben in set salpha\.g1/);
    });
  }

  test("Q03: a share of an older generation", async () => {
    await assert.rejects(enter(newer, "ben", issued), {
      code: "people.share-rejected",
      message:
        "the share of ben in set salpha.g2 is refused: it is of generation 1, which is not in use",
    });
  });

  test("an identity that was replaced since the set was made", async () => {
    const stranger = await sealFor("eve", utf8("x"));
    const { opener } = personOf("ana").opened;
    const open = (): Promise<Secret> => opener.open(stranger);
    await assert.rejects(openShare(made.set, "ben", issued, open), /it was replaced since/);
  });

  test("Q01: every single-bit change of a share's content", async () => {
    for (let bit = 0; bit < content.length * 8; bit++) {
      const changed = content.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      await assert.rejects(
        openShare(made.set, "ben", issued, handingOut(changed)),
        { code: "people.share-rejected" },
        `bit ${bit}`,
      );
    }
    (await openShare(made.set, "ben", issued, handingOut(content))).wipe();
  });

  test("Q03: no mixture of sets and generations that has a foreign share leads to a PIN", async () => {
    const sets = [made, foreign, newer];
    const entered = new Map<string, EnteredShare>();
    for (const [i, set] of sets.entries()) {
      for (const person of NAMES.slice(0, 3))
        entered.set(`${i}${person}`, await enter(set, person));
    }
    let opened = 0;
    for (const choice of subsets([...entered.keys()])) {
      const some = choice.flatMap((key) => entered.get(key) ?? []);
      for (const [i, set] of sets.entries()) {
        const valid = choice.every((key) => key.startsWith(String(i))) && new Set(choice).size >= 2;
        const pin = await combine(set.set, some, set.sealed, TOKEN).catch(() => undefined);
        assert.equal(pin !== undefined, valid, `${choice.join()} in set ${i}`);
        opened += pin === undefined ? 0 : 1;
        pin?.wipe();
      }
    }
    assert.equal(opened, 3 * 4);
  });
});

describe("the sealed secret", async () => {
  const made = await makeSet(2, 3);
  const shares = [await enter(made, "ana"), await enter(made, "cleo")];

  test("Q01: every changed byte is refused before anything is opened", async () => {
    for (let at = 0; at < made.sealed.length; at++) {
      const sealed = made.sealed.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
      await assert.rejects(combine(made.set, shares, sealed, TOKEN), {
        code: "people.share-rejected",
        message: /not the file that was made/,
      });
    }
  });

  test("Q03: the sealed secret of another set is refused", async () => {
    const { sealed } = await makeSet(2, 3, { id: "sother" });
    await assert.rejects(combine(made.set, shares, sealed, TOKEN), /not the file that was made/);
  });

  test("the PIN of another token is refused", async () => {
    const pin = (expected: typeof TOKEN): Promise<Secret> =>
      combine(made.set, shares, made.sealed, expected);
    await assert.rejects(pin({ ...TOKEN, label: "beta" }), { code: "hsm.wrong-token" });
    await assert.rejects(pin({ ...TOKEN, serial: "0" }), { code: "hsm.wrong-token" });
    await assert.rejects(pin({ ...TOKEN, serial: PENDING }), { code: "hsm.wrong-token" });
  });

  test("a PIN sealed before its token had a serial is held to the label", async () => {
    const early = await makeSet(2, 3, { token: { serial: PENDING, label: "alpha" } });
    const some = [await enter(early, "ana"), await enter(early, "ben")];
    assert.equal(textOf(await combine(early.set, some, early.sealed, TOKEN)), PIN);
    const other = { ...TOKEN, label: "beta" };
    await assert.rejects(combine(early.set, some, early.sealed, other), {
      code: "hsm.wrong-token",
    });
  });

  test("what a refusal says to do next", async () => {
    const other = await makeSet(2, 3, { id: "sother" });
    await assert.rejects(combine(made.set, shares, other.sealed, TOKEN), {
      message:
        "share set salpha.g1 cannot be used: the sealed secret is not the file that was made with the set",
      hints: ["use the copy on another holder's medium"],
    });
    await assert.rejects(combine(made.set, shares.slice(1), made.sealed, TOKEN), {
      message: "share set salpha.g1 needs 2 shares, 1 were entered",
      hints: ["call another holder of the set"],
    });
    await assert.rejects(combine(made.set, [...shares, ...shares], made.sealed, TOKEN), {
      hints: ["shares of 2 different people are needed"],
    });
    await assert.rejects(combine(made.set, shares, made.sealed, { ...TOKEN, serial: "0" }), {
      message: `share set salpha.g1 cannot be used: the PIN is that of the token ${TOKEN.serial}`,
      hints: [],
    });
    await assert.rejects(enter(made, "ana", shareFile(made, "ben")), {
      hints: ["use the file that was issued to ana, or another holder's share"],
    });
  });

  test("an escrowed KEK is sealed as one, and opens under its own name only", async () => {
    const kek = "00112233445566778899aabbccddeeff";
    const named = { serial: PENDING, label: "kek-2026" };
    const set = await makeSet(2, 3, { purpose: "kek", token: named, secret: secretOf(kek) });
    const some = [await enter(set, "ana"), await enter(set, "ben")];
    assert.equal(textOf(await combine(set.set, some, set.sealed, named)), kek);
    await assert.rejects(combine(set.set, some, set.sealed, { ...named, label: "kek-2025" }), {
      code: "hsm.wrong-kek",
      message: /the sealed value is that of KEK kek-2026$/,
    });
    // Whoever opens it without Keyrite reads on its last line which of the two it is.
    const key = await combineShares(some.map(({ share }) => share));
    const content = await decryptWith([x25519Identity(key)], set.sealed);
    assert.equal(textOf(content).split("\n").at(-2), `kek ${kek}`);
  });

  for (const [name, change] of Object.entries({
    "another set": ["set salpha", "set sother"],
    "another generation": ["generation 1", "generation 2"],
    "another purpose": ["purpose activation", "purpose security-officer"],
    "a lower threshold": ["threshold 2", "threshold 1"],
    "no PIN": [`pin ${PIN}`, `PIN ${PIN}`],
  } as const)) {
    test(`a forged set whose sealed secret names ${name} is refused`, async () => {
      const names = `set salpha\ngeneration 1\npurpose activation\nthreshold 2\nserial ${TOKEN.serial}`;
      const content = `keyrite/sealed/v1\n${names}\nlabel alpha\npin ${PIN}\n`;
      assert.ok(content.includes(change[0]));
      const forged = utf8(content.replace(change[0], change[1]));
      const sealed = await encryptTo([x25519Recipient(made.set.recipient)], forged);
      const set: ShareSet = { ...made.set, sealed: sha256Hex(sealed) };
      await assert.rejects(combine(set, shares, sealed, TOKEN), { code: "people.share-rejected" });
    });
  }

  test("a forged set with commitments to other shares does not lead to its key", async () => {
    const fakes = shares.map(({ person }, i) => ({
      person,
      share: Secret.take(Uint8Array.from({ length: 33 }, (_, at) => at + 7 * i + 1)),
    }));
    const holders = made.set.holders.map((holder) => {
      const fake = fakes.find(({ person }) => person === holder.person);
      const commitment = fake?.share.use((bytes) => commitmentOf(made.set, holder.index, bytes));
      return { ...holder, commitment: commitment ?? holder.commitment };
    });
    await assert.rejects(combine({ ...made.set, holders }, fakes, made.sealed, TOKEN), {
      code: "people.share-rejected",
      message: /do not fit together/,
    });
  });
});
