/** Which module files and bindings are accepted, and that each is opened once. */

import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createHsm } from "../../src/hsm/hsm.ts";
import { prepareTokenDirectory } from "../../src/hsm/token-directory.ts";
import { PROFILES, profileNamed } from "../../src/hsm/profiles.ts";
import type { RawModule } from "../../src/hsm/raw.ts";
import { templatesFor } from "../../src/hsm/templates.ts";
import { KEY_ALGORITHMS } from "../../src/lib/algorithms.ts";
import type { Hsm } from "../../src/hsm/token.ts";
import { concat } from "../../src/lib/encoding.ts";
import { KEK_ENTRIES } from "../../src/hsm/kek-template.ts";
import { LINT_RULES } from "../../src/hsm/lint.ts";
import { recordedKey } from "../../src/hsm/recorded-key.ts";
import { restoreTemplates } from "../../src/hsm/restore-templates.ts";
import { createFakeModule } from "../support/fake-module.ts";
import { systemRandom, temporaryFolder } from "../support/rig.ts";
import { refused } from "../support/hsm-asserts.ts";

const folder = temporaryFolder();
after(() => {
  rmSync(folder, { recursive: true });
});

function moduleFile(name: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, `module ${name}`);
  chmodSync(path, mode);
  return path;
}

function hsmOver(load: () => RawModule): Hsm {
  return createHsm({
    setEnvironment: () => undefined,
    random: systemRandom,
    monotonic: () => performance.now(),
    load,
  });
}

describe("a module", () => {
  test("is loaded once, also when it is asked for twice at a time", async () => {
    let loads = 0;
    const hsm = hsmOver(() => {
      loads += 1;
      return createFakeModule();
    });
    const binding = { name: "soft", profile: "generic", path: moduleFile("once.so") };
    await Promise.all([hsm.tokens(binding), hsm.tokens(binding)]);
    await hsm.tokens(binding);
    assert.equal(loads, 1);
    await hsm.close();
  });

  test("is tried again after it failed to start", async () => {
    let loads = 0;
    const hsm = hsmOver(() => {
      loads += 1;
      if (loads === 1) throw new Error("not yet");
      return createFakeModule();
    });
    const binding = { name: "soft", profile: "generic", path: moduleFile("again.so") };
    await assert.rejects(hsm.tokens(binding), /not yet/);
    assert.equal((await hsm.tokens(binding)).length, 1);
  });

  test("cannot be bound with two token directories in one process", async () => {
    const hsm = hsmOver(() => createFakeModule());
    const path = moduleFile("two.so");
    const first = { name: "a", profile: "softhsm", path, tokenDir: join(folder, "a") };
    assert.equal((await hsm.tokens(first)).length, 1);
    const second = { ...first, name: "b", tokenDir: join(folder, "b") };
    await refused(hsm.tokens(second), { code: "site.bindings", says: /module b.*tokenDir/ });
    const third = { name: "c", profile: "generic", path };
    await refused(hsm.tokens(third), { code: "site.bindings" });
    assert.equal((await hsm.tokens(first)).length, 1);
  });

  test("needs a profile that exists", async () => {
    const hsm = hsmOver(() => createFakeModule());
    const binding = { name: "a", profile: "sofhsm", path: moduleFile("profile.so") };
    await refused(hsm.tokens(binding), { code: "site.bindings", says: /sofhsm/ });
  });
});

describe("a token directory", () => {
  const prepare = (profile: string, tokenDir: string | undefined): Promise<unknown> => {
    const binding = { name: "soft", profile, path: "/module.so" };
    return prepareTokenDirectory(
      tokenDir === undefined ? binding : { ...binding, tokenDir },
      profileNamed(profile),
      (name, value) => set.set(name, value),
    );
  };
  const set = new Map<string, string>();

  test("is made private, and SoftHSM told of it before it starts", async () => {
    const tokenDir = join(folder, "deep", "tokens");
    assert.equal(await prepare("softhsm", tokenDir), undefined);
    const path = set.get("SOFTHSM2_CONF") ?? assert.fail("SOFTHSM2_CONF is not set");
    assert.equal(path, join(tokenDir, "softhsm2.conf"));
    assert.match(
      readFileSync(path, "utf8"),
      new RegExp(`^directories.tokendir = ${tokenDir}$`, "m"),
    );
    assert.equal(statSync(tokenDir).mode & 0o777, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("goes to NSS as a parameter", async () => {
    const parameters = await prepare("nss", join(folder, "nss"));
    assert.match(String(parameters), new RegExp(`^configdir='sql:${folder}/nss' `));
  });

  for (const [profile, name] of [
    ["softhsm", "a#b"],
    ["softhsm", "a=b"],
    ["softhsm", "a\nobjectstore.backend = db"],
    ["softhsm", "a "],
    ["nss", "it's"],
    ["nss", "a\\b"],
    ["nss", undefined],
    ["softhsm", undefined],
    ["generic", "tokens"],
  ] as const) {
    test(`${profile} refuses ${JSON.stringify(name)}`, async () => {
      const tokenDir = name === undefined ? undefined : join(folder, name);
      await refused(prepare(profile, tokenDir), { code: "site.bindings" });
    });
  }
});

test("every attribute of a template stands in the manual with its reason", () => {
  const manual = readFileSync(new URL("../../docs/hsm.md", import.meta.url), "utf8");
  const asked = { label: "root", ckaId: "01", extractable: false } as const;
  const spki = concat(
    generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
      format: "der",
      type: "spki",
    }),
  );
  const pairs = [
    ...KEY_ALGORITHMS.map((algorithm) =>
      templatesFor({ ...asked, purpose: "ca-signing", algorithm }),
    ),
    templatesFor({ ...asked, purpose: "transport", algorithm: "rsa-3072" }),
    restoreTemplates(asked, recordedKey(spki), true),
  ];
  const entries = pairs.flatMap(({ publicKey, privateKey }) => [...publicKey, ...privateKey]);
  for (const { name, why } of [...entries, ...KEK_ENTRIES]) {
    assert.match(manual, new RegExp(`\\| CKA_${name} +\\|.*\\| ${escaped(why)} +\\|$`, "m"), name);
  }
});

test("every rule for objects stands in the manual", () => {
  const manual = readFileSync(new URL("../../docs/hsm.md", import.meta.url), "utf8");
  for (const { name, says } of LINT_RULES) {
    assert.match(manual, new RegExp(`^\\| ${name} +\\| ${escaped(says)} +\\|$`, "m"));
  }
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

test("every waiver says its module by name, and stands in the manual", () => {
  const manual = readFileSync(new URL("../../docs/hsm.md", import.meta.url), "utf8");
  for (const profile of PROFILES) {
    const sentences = [
      ...profile.tokenWaivers,
      ...profile.keyWaivers.map(({ sentence }) => sentence),
      ...[profile.ignoresExtractable, profile.ignoresUnwrapTemplate].filter(
        (sentence) => sentence !== undefined,
      ),
    ];
    for (const sentence of sentences) {
      assert.match(sentence, /^(SoftHSM|NSS softoken) /);
      assert.ok(manual.replace(/\s+/g, " ").includes(sentence), sentence);
    }
  }
});
