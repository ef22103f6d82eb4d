/** Pages: whatever text says, it stays text; and the paper script as a page has every step of the plan. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { html, pageText } from "../../src/report/page.ts";
import { refused, siteAt, succeeded } from "../support/rehearsed-site.ts";

describe("the html tag", () => {
  const HOSTILE = [
    `<script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `' onmouseover='alert(1)`,
    `&lt;b&gt;`,
    "a\u202Egnp.exe",
    "\u001b[2J",
    "</style><svg/onload=alert(1)>",
  ];

  for (const text of HOSTILE) {
    test(`I04: ${JSON.stringify(text)} stays text, in an element and in an attribute`, () => {
      const { markup } = html`<p title="${text}">${text}</p>`;
      const inside = markup.slice('<p title="'.length, -"</p>".length);
      assert.doesNotMatch(inside.replace('">', ""), /[<>"']/);
      assert.doesNotMatch(markup, /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/);
    });
  }

  test("markup of ours stays markup, in lists too, and is not escaped twice", () => {
    const rows = ["a & b", "c"].map((cell) => html`<td>${cell}</td>`);
    assert.equal(html`<b>${rows}</b>`.markup, "<b><td>a &amp; b</td><td>c</td></b>");
  });

  test("a page fetches nothing and runs nothing", () => {
    const page = pageText({ title: "<t>", brand: "TEST", body: html`<p>x</p>` });
    assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src/);
    assert.doesNotMatch(page, /<script|https?:\/\/|url\(/);
    assert.match(page, /<title>&lt;t&gt;<\/title>/);
  });
});

describe("paper --html", () => {
  const site = siteAt("founded");
  const page = succeeded(site.keyrite(["paper", "initialize-token", "--html"])).stdout;
  const markdown = succeeded(site.keyrite(["paper", "initialize-token"])).stdout;

  test("its steps and numbers are those of the Markdown, which are those of the plan", () => {
    const onPage = [
      ...page.matchAll(/<td class="n">(\d+)<\/td>\s*<td>\s*<span class="id">([^<]+)/g),
    ];
    const inText = [...markdown.matchAll(/^\| (\d+) \| \*\*([^*]+)\*\*/gm)];
    assert.ok(inText.length > 5);
    assert.deepEqual(
      onPage.map(([, n, id]) => `${n} ${id}`),
      inText.map(([, n, id]) => `${n} ${id}`),
    );
  });

  test("it is branded on a test site, and has blanks for what the room is asked", () => {
    assert.match(page, /<span class="brand">TEST<\/span>/);
    assert.match(page, /camera|recording/i);
    assert.match(page, /Exception sheet/);
  });

  test("what cannot be planned has no paper", () => {
    const ran = refused(site.keyrite(["paper", "generate-root-ca", "--html"]), "script.refused");
    assert.equal(ran.stdout, "");
  });
});
