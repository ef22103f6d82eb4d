/** Changes of an archive that know its form: blocks, members, names with right checksums, a manifest that agrees. */

import { createHash } from "node:crypto";
import { concat, utf8 } from "../../src/lib/encoding.ts";
import type { Change, Changes } from "./file-mutants.ts";
import { OF_JSON, OF_TEXT } from "./file-mutants.ts";
import type { Dice } from "./random-mutations.ts";

const BLOCK = 512;

export interface Member {
  readonly name: Uint8Array;
  readonly bytes: Uint8Array;
  /** The type of a member: a file unless something else is said. */
  readonly type?: string;
  readonly target?: string;
}

/** An archive of anything whatever: our own writer refuses most of what is to be tried. */
export function tarOf(members: readonly Member[]): Uint8Array {
  const parts = members.flatMap((member) => [
    headerOf(member),
    member.bytes,
    new Uint8Array((BLOCK - (member.bytes.length % BLOCK)) % BLOCK),
  ]);
  return concat(...parts, new Uint8Array(2 * BLOCK));
}

function headerOf({ name, bytes, type = "0", target = "" }: Member): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => {
    header.set(utf8(text), at);
  };
  header.set(name.subarray(0, 100));
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${bytes.length.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        ");
  put(156, type);
  put(157, target);
  put(257, "ustar\x0000");
  put(265, "root");
  put(297, "root");
  put(329, "0000000\0");
  put(337, "0000000\0");
  return withChecksum(header);
}

function withChecksum(header: Uint8Array): Uint8Array {
  header.set(utf8("        "), 148);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return header;
}

interface Span {
  readonly at: number;
  readonly start: number;
  readonly size: number;
  readonly end: number;
}

/** Where the members of a sound archive stand. */
function spansOf(tar: Uint8Array): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 0; tar[at] !== 0 && at < tar.length;) {
    const octal = Buffer.from(tar.subarray(at + 124, at + 135)).toString("latin1");
    const size = Number.parseInt(octal, 8);
    const start = at + BLOCK;
    const end = start + Math.ceil(size / BLOCK) * BLOCK;
    spans.push({ at, start, size, end });
    at = end;
  }
  return spans;
}

const spansKnown = new WeakMap<Uint8Array, readonly Span[]>();

function onMember(change: (tar: Uint8Array, span: Span, dice: Dice) => Uint8Array): Change {
  return (tar, dice) => {
    const spans = spansKnown.get(tar) ?? spansOf(tar);
    spansKnown.set(tar, spans);
    return spans.length === 0 ? tar : change(tar, dice.pick(spans), dice);
  };
}

function renamed(tar: Uint8Array, { at }: Span, name: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(tar);
  copy.fill(0, at, at + 100);
  copy.set(name.subarray(0, 100), at);
  withChecksum(copy.subarray(at, at + BLOCK));
  return copy;
}

export const OF_TAR: Changes = {
  "a block gone": (tar, dice) => {
    const at = dice.below(tar.length / BLOCK) * BLOCK;
    return concat(tar.subarray(0, at), tar.subarray(at + BLOCK));
  },
  "a block twice": (tar, dice) => {
    const at = dice.below(tar.length / BLOCK) * BLOCK;
    return concat(tar.subarray(0, at + BLOCK), tar.subarray(at));
  },
  "two blocks exchanged": (tar, dice) => {
    const copy = Uint8Array.from(tar);
    const [a, b] = [dice.below(tar.length / BLOCK) * BLOCK, dice.below(tar.length / BLOCK) * BLOCK];
    copy.set(tar.subarray(a, a + BLOCK), b);
    copy.set(tar.subarray(b, b + BLOCK), a);
    return copy;
  },
  "a member gone": onMember((tar, { at, end }) => concat(tar.subarray(0, at), tar.subarray(end))),
  "a member twice": onMember((tar, { at, end }) => concat(tar.subarray(0, end), tar.subarray(at))),
  "a member moved to the end": onMember((tar, { at, end }) =>
    concat(
      tar.subarray(0, at),
      tar.subarray(end, -2 * BLOCK),
      tar.subarray(at, end),
      tar.subarray(-2 * BLOCK),
    ),
  ),
  "a member renamed": onMember((tar, span, dice) =>
    renamed(tar, span, dice.pick(HOSTILE_NAMES).name),
  ),
  "a header's byte, with its checksum": onMember((tar, { at }, dice) => {
    const copy = Uint8Array.from(tar);
    copy[at + dice.below(BLOCK)] = dice.below(256);
    withChecksum(copy.subarray(at, at + BLOCK));
    return copy;
  }),
};

/** Changes of the first member, the manifest, in an archive that is whole. */
export const OF_MANIFEST: Changes = Object.fromEntries(
  Object.entries({ ...OF_JSON, ...OF_TEXT }).map(([name, change]) => [
    `the manifest: ${name}`,
    (tar: Uint8Array, dice: Dice): Uint8Array => {
      const [first] = spansKnown.get(tar) ?? spansOf(tar);
      if (first === undefined) return tar;
      const bytes = change(tar.subarray(first.start, first.start + first.size), dice);
      const head = tarOf([{ name: utf8("bundle/bundle.json"), bytes }]).subarray(0, -2 * BLOCK);
      const header = Uint8Array.from(head);
      // Its time is that of the others.
      header.set(tar.subarray(first.at + 136, first.at + 148), 136);
      withChecksum(header.subarray(0, BLOCK));
      return concat(header, tar.subarray(first.end));
    },
  ]),
);

export interface HostileName {
  readonly name: Uint8Array;
  readonly about: string;
}

/** Names that lead out of a folder, mean a device, or are one name to some and two to others: 500 at least. */
export const HOSTILE_NAMES: readonly HostileName[] = hostileNames();

function hostileNames(): readonly HostileName[] {
  const ways = [
    ...[
      "../",
      "../../",
      "../../../../../../",
      "/",
      "//",
      "./",
      "./../",
      "bundle/../",
      "bundle/../../",
    ],
    ...[
      "bundle/./",
      "bundle//",
      "bundle/x/../../../",
      "..\\",
      "bundle\\",
      "C:\\",
      "C:/",
      "\\\\host\\",
    ],
    ...[
      "bundle/..\\",
      "~/",
      "bundle/~/../",
      "file:///",
      "%2e%2e/",
      "bundle/%2e%2e/",
      "bundle/.",
      ".",
    ],
    ...["bundle/\u2024\u2024/", "bundle/\uFF0E\uFF0E/", "\u2215", "bundle/\0../", "bundle/ ../"],
  ];
  const aims = [
    ...["etc/passwd", "evil", "ledger.db", "ledger.key", ".ssh/authorized_keys", "CON", "aux.txt"],
    ...[
      "nul",
      "x/../..",
      "..",
      "...",
      "a b",
      "x\ny",
      "e\u0301.txt",
      "\u00E9.txt",
      "x\u202Etxt.exe",
    ],
    ...["x\u200B", "-rf", "x:stream"],
  ];
  const all = ways.flatMap((way) => aims.map((aim) => utf8(`${way}${aim}`)));
  const invalid = ["2e2e2fff", "62756e646c652fc0ae2e2f78", "62756e646c652feda080"].map((digits) =>
    Uint8Array.from(Buffer.from(digits, "hex")),
  );
  return [...all, ...invalid].map((name) => ({
    name,
    about: JSON.stringify(Buffer.from(name).toString("latin1")),
  }));
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
