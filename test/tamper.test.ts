/** Every way to alter a small ledger behind its back, each found and named with its index. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { leafHash } from "../src/ledger/merkle.ts";
import { verifyLedger } from "../src/ledger/verify.ts";

import {
  bodies,
  changed,
  file,
  findings,
  forged,
  named,
  path,
  setBody,
  SIZE,
} from "./support/tamper.ts";

test("the untouched ledger, and a copy made the way the tampered ones are, have no findings", () => {
  assert.deepEqual(findings(path), []);
  assert.deepEqual(
    changed(() => undefined),
    [],
  );
  assert.equal(verifyLedger(path).size, SIZE);
});

for (let seq = 0; seq < SIZE; seq += 1) {
  test(`C14: every single-byte change of entry ${seq} names it`, () => {
    const body = Buffer.from(bodies[seq] ?? "");
    const offset = file.indexOf(body);
    assert.ok(offset > 0 && file.indexOf(body, offset + 1) === -1);
    const copy = `${path}.${seq}`;
    for (let at = 0; at < body.length; at += 1) {
      for (const value of changesOf(body[at] ?? 0)) {
        const altered = Buffer.from(file);
        altered[offset + at] = value;
        writeFileSync(copy, altered);
        const found = findings(copy);
        assert.ok(
          found.some((finding) => finding.seq === seq && finding.code.startsWith("entry.")),
          `byte ${at} as ${value}: ${JSON.stringify(found)}`,
        );
        assert.deepEqual([...new Set(found.map((finding) => finding.seq))], [seq]);
      }
    }
  });
}

// A neighbour, which mostly keeps the JSON valid; a quote; and a byte that UTF-8 never holds.
function changesOf(byte: number): readonly number[] {
  return [byte ^ 0x01, 0x22, 0xff].filter((value) => value !== byte);
}

test("C14: invalid UTF-8 written as SQL names the entry", () => {
  for (let seq = 0; seq < SIZE; seq += 1) {
    for (const wrong of [[0xc3], [0xed, 0xa0, 0x80], [0xf8], [0x80], [0xc0, 0xaf]]) {
      const body = Buffer.from(
        (bodies[seq] ?? "").replace('"step":"generate"', '"step":"gen?rate"'),
      );
      const at = body.indexOf("?");
      const altered = Buffer.concat([
        body.subarray(0, at),
        Buffer.from(wrong),
        body.subarray(at + 1),
      ]);
      assert.deepEqual(
        named(
          changed((db) => {
            setBody(db, seq, altered);
          }),
        ),
        [`entry.damaged ${seq}`],
      );
    }
  }
});

test("C14: a dropped entry is named, with and without the rest moved up", () => {
  for (let seq = 0; seq < SIZE; seq += 1) {
    const dropped = changed((db) => db.prepare("DELETE FROM entries WHERE seq = ?").run(seq));
    assert.deepEqual(named(dropped).slice(0, 1), [`entry.missing ${seq}`]);
    const moved = changed((db) => {
      db.prepare("DELETE FROM entries WHERE seq = ?").run(seq);
      for (let next = seq + 1; next < SIZE; next += 1) {
        db.prepare("UPDATE entries SET seq = ? WHERE seq = ?").run(next - 1, next);
      }
    });
    const first = seq === SIZE - 1 ? "entry.missing" : "entry.misplaced";
    assert.deepEqual(named(moved).slice(0, 1), [`${first} ${seq}`]);
    assert.ok(named(moved).includes(`entry.missing ${SIZE - 1}`));
  }
});

test("C14: two swapped entries are both named", () => {
  for (let a = 0; a < SIZE; a += 1) {
    for (let b = a + 1; b < SIZE; b += 1) {
      const found = changed((db) => {
        setBody(db, a, bodies[b] ?? "");
        setBody(db, b, bodies[a] ?? "");
      });
      assert.ok(named(found).includes(`entry.misplaced ${a}`));
      assert.ok(named(found).includes(`entry.misplaced ${b}`));
    }
  }
});

test("C14: a repeated entry is named, in another's place and at the end", () => {
  for (let seq = 1; seq < SIZE; seq += 1) {
    const found = changed((db) => {
      setBody(db, seq, bodies[seq - 1] ?? "");
    });
    assert.deepEqual(named(found), [`entry.misplaced ${seq}`]);
  }
  const appended = changed((db) =>
    db.prepare("INSERT INTO entries (seq, body) VALUES (?, ?)").run(SIZE, bodies[SIZE - 1]),
  );
  assert.ok(named(appended).includes(`entry.misplaced ${SIZE}`));
  assert.ok(named(appended).includes(`checkpoint.missing ${SIZE}`));
});

test("C14: a replaced entry is named, and nothing else is", () => {
  for (let seq = 0; seq < SIZE; seq += 1) {
    assert.deepEqual(
      named(
        changed((db) => {
          setBody(db, seq, forged(seq));
        }),
      ),
      [`entry.altered ${seq}`],
    );
  }
});

test("C14: a replaced entry with its tree nodes is named by the checkpoint it breaks", () => {
  for (let seq = 0; seq < SIZE; seq += 1) {
    const found = changed((db) => {
      setBody(db, seq, forged(seq));
      const old = leafHash(bodies[seq] ?? "");
      db.prepare("UPDATE nodes SET hash = ? WHERE hash = ?").run(leafHash(forged(seq)), old);
    });
    const root = found.find(({ code }) => code === "checkpoint.root");
    assert.ok(
      root?.seq !== undefined && root.seq <= seq && seq - root.seq <= 1,
      JSON.stringify(found),
    );
  }
});

test("C17: a truncated tail is named with the first missing index", () => {
  for (let size = 0; size < SIZE; size += 1) {
    const found = changed((db) => db.prepare("DELETE FROM entries WHERE seq >= ?").run(size));
    assert.ok(named(found).includes(`entry.missing ${size}`), JSON.stringify(found));
  }
});
