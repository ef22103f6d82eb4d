/** I08: what is exported of a ledger has the same bytes in every language and every time zone. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { figure, sampled } from "../support/fault-run.ts";
import { newFolder, siteAt, succeeded } from "../support/rehearsed-site.ts";

/** Other letters, decimal signs, orders, calendars and directions; Node brings its own tables of them. */
const LOCALES = [
  ...["C", "tr_TR.UTF-8", "ja_JP.UTF-8", "de_DE.UTF-8"],
  ...["ar_EG.UTF-8", "sv_SE.UTF-8", "th_TH.UTF-8", "fa_IR.UTF-8"],
];
const ZONES = [
  ...["UTC", "Asia/Kathmandu", "America/St_Johns"],
  ...["Pacific/Kiritimati", "Pacific/Marquesas", "Australia/Lord_Howe"],
];

test("I08: bundle, report, paper and verdict are the same in every language and zone", () => {
  const site = siteAt("generated");
  const ceremony = site.entries().findLast(({ type }) => type === "ceremony.opened")?.ceremony;
  const digests = new Map<string, Set<string>>();
  const kept = (what: string, bytes: Uint8Array): void => {
    digests.set(what, (digests.get(what) ?? new Set()).add(sha256Hex(bytes)));
  };
  const places = sampled(
    LOCALES.flatMap((locale) => ZONES.map((zone) => [locale, zone] as const)),
    6,
  );
  for (const [locale, zone] of places) {
    const env = { LANG: locale, LC_ALL: locale, LANGUAGE: locale, TZ: zone };
    const tar = join(newFolder(), "bundle.tar");
    succeeded(site.keyrite(["export", join(newFolder(), "bundle"), "--tar", tar], { env }));
    kept("bundle", readFileSync(tar));
    const commands = [
      ["report", ceremony ?? "", "--json"],
      ["verify", "--json"],
      ["status", "--json"],
      ["paper", "record-deviation"],
    ];
    for (const words of commands) {
      const { stdout } = succeeded(site.keyrite(words, { env }));
      assert.ok(stdout.length > 100);
      kept(words[0] ?? "", Buffer.from(stdout));
    }
  }
  const outputs = digests.size;
  const different = [...digests].filter(([, all]) => all.size !== 1).map(([what]) => what);
  figure("I08", "outputs of one ledger in languages and zones", {
    ...{ places: places.length, outputs, different: different.length },
  });
  assert.deepEqual(different, []);
});
