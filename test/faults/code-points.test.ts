/** I04: every code point there is, as a name and as a text: nothing that acts on a terminal is ever shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../src/lib/json.ts";
import { visible } from "../../src/lib/visible.ts";
import { dataText, html } from "../../src/report/page.ts";
import { figure } from "../support/fault-run.ts";
import { HEAD, question, rehearsal } from "../support/rehearsal.ts";

/** What moves the cursor, hides, reorders or ends a line; a newline ends our own. */
const ACTS = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const AT_ONCE = 4096;
const LAST = 0x10ffff;

test("I04: no code point reaches the screen as what it is, when it would act there", async () => {
  const { room, shown } = rehearsal(HEAD);
  const counts = { codePoints: 0, escaped: 0, shownAsControl: 0, badJson: 0 };
  for (let from = 0; from <= LAST; from += AT_ONCE) {
    const all = Array.from({ length: AT_ONCE }, (_, i) => String.fromCodePoint(from + i));
    for (const char of all) {
      const safe = visible(char);
      counts.codePoints += 1;
      if (safe !== char) counts.escaped += 1;
      if (ACTS.test(safe) || safe.includes("\n")) counts.shownAsControl += 1;
      const sound = char.isWellFormed();
      if (sound && (JSON.parse(canonicalJson(char)) as unknown) !== char) counts.badJson += 1;
    }
    const text = all.join("");
    room.tell(text);
    room.warn(text);
    await room.agree({ ...question("x"), text, to: { person: "ana", name: text } });
  }
  const screen = shown();
  assert.ok(screen.length > LAST);
  if (ACTS.test(screen)) counts.shownAsControl += 1;
  figure("I04", "code points as text and as a name", counts);
  assert.equal(counts.shownAsControl, 0);
  assert.equal(counts.badJson, 0);
});

/** What ends a tag, an attribute or a reference, besides what acts on whoever reads the source. */
const BREAKS_OUT = /[<>"']/;

test("I04: no code point in a page, or in the data that it carries, is anything but text", () => {
  const counts = { codePoints: 0, markup: 0, acting: 0, badJson: 0 };
  for (let code = 0; code <= LAST; code += 1) {
    const char = String.fromCodePoint(code);
    const { markup } = html`${char}`;
    const data = dataText(char);
    counts.codePoints += 1;
    if (BREAKS_OUT.test(markup) || (markup.includes("&") && !/^&[#a-z0-9]+;$/.test(markup))) {
      counts.markup += 1;
    }
    if (data.includes("<")) counts.markup += 1;
    if (ACTS.test(markup) || ACTS.test(data)) counts.acting += 1;
    if ((JSON.parse(data) as unknown) !== char) counts.badJson += 1;
  }
  figure("I04", "code points as text of a page and as its data", counts);
  assert.equal(counts.codePoints, LAST + 1);
  assert.equal(counts.markup + counts.acting + counts.badJson, 0);
});
