/**
 * I01, I02, Q13: YAML files of people, changed at random. What is accepted means to a second reader of YAML exactly
 * what it means to us, stands under a digest of its own, and has a plan of its own; all else is refused.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { readBindings } from "../../src/ceremony/bindings.ts";
import { readPolicy } from "../../src/ceremony/policy.ts";
import { requireScript } from "../../src/ceremony/script.ts";
import { planOnSite } from "../../src/cli/planning.ts";
import { openSite } from "../../src/cli/site.ts";
import { readAnswers } from "../../src/console/answers.ts";
import { requireProfile } from "../../src/pki/profile-file.ts";
import { crossedWith, OF_BYTES, OF_TEXT } from "../support/file-mutants.ts";
import { sweepMutants, type Mutant, type Verdict } from "../support/mutant-sweep.ts";
import { CEREMONIES, shippedAnswers, siteAt } from "../support/rehearsed-site.ts";
import {
  judgeAnswers,
  judgeBindings,
  judgePolicy,
  judgeProfile,
  judgeScript,
} from "../support/yaml-judges.ts";
import { theirValue } from "../support/yaml-oracle.ts";

const files = readdirSync(CEREMONIES, { recursive: true, encoding: "utf8" });

function shipped(end: string): Readonly<Record<string, Uint8Array>> {
  const names = files.filter((path) => path.endsWith(end) && path.includes("/"));
  return Object.fromEntries(
    names.map((name) => [name, Uint8Array.from(readFileSync(join(CEREMONIES, name)))]),
  );
}

const scripts = shipped("/script.yaml");
const answers = shipped("/answers.yaml");
const profiles = Object.fromEntries(
  Object.entries(shipped(".yaml")).filter(([name]) => name.startsWith("profiles/")),
);
const site = siteAt("generated");
const bindings = { "site.yaml": Uint8Array.from(readFileSync(site.file("site.yaml"))) };
const policies = { "policy.yaml": Uint8Array.from(readFileSync(site.file("policy.yaml"))) };
const open = openSite(site.site, { write: false });
after(() => {
  open.ledger.close();
});

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const everyday = { ...OF_TEXT, ...OF_BYTES };
const originalValues = new Map<Uint8Array, string>();

/** Whether a mutant means what its original means. */
function meaning(value: unknown, original: Uint8Array): Verdict {
  const known = originalValues.get(original) ?? JSON.stringify(theirValue(original));
  originalValues.set(original, known);
  return JSON.stringify(value) === known ? "same" : "other";
}

/** Digests of the plans of the shipped scripts, where they can be planned on this site. */
const plans = new Map<string, string | undefined>();

async function planned(name: string, bytes: Uint8Array): Promise<string | undefined> {
  const set = Object.fromEntries(
    Object.entries(shippedAnswers(name.replace("/script.yaml", "")).set).map(([key, value]) => [
      key,
      String(value),
    ]),
  );
  const planning = await planOnSite(open, { path: join(CEREMONIES, name), bytes }, set);
  return planning.ok ? planning.plan.sha256 : undefined;
}

async function planDiffers({ bytes, original, about }: Mutant): Promise<void> {
  const name = about.slice(0, about.indexOf(": "));
  if (!plans.has(name)) plans.set(name, await planned(name, original));
  const plan = await planned(name, bytes);
  if (plan !== undefined) assert.notEqual(plan, plans.get(name), "the plan of another script");
}

test("I01: mutants of scripts are refused, or are the same to another reader and have plans of their own", async () => {
  let accepted = 0;
  await sweepMutants({
    ...{ row: "I01", what: "mutants of scripts", short: 2000, full: 100_000, originals: scripts },
    changes: { ...everyday, ...crossedWith(Object.values(scripts)) },
    judge: async (mutant) => {
      const { bytes, original } = mutant;
      const script = requireScript(bytes, "mutant.yaml");
      const theirs = theirValue(bytes);
      judgeScript(script, theirs);
      assert.equal(script.sha256, sha256(bytes));
      accepted += 1;
      if (accepted % 10 === 0) await planDiffers(mutant);
      return meaning(theirs, original);
    },
  });
  assert.ok(plans.size > 0);
});

interface Read {
  readonly theirs: unknown;
  readonly digest: string;
}

/** The other files that people write, by how each is read and held against the other reader. */
const OTHERS: Readonly<
  Record<string, readonly [Readonly<Record<string, Uint8Array>>, (bytes: Uint8Array) => Read]>
> = {
  "site.yaml": [
    bindings,
    (bytes) => {
      const read = readBindings(bytes, site.site);
      const theirs = theirValue(bytes);
      judgeBindings(read, theirs, site.site);
      return { theirs, digest: read.sha256 };
    },
  ],
  policies: [
    policies,
    (bytes) => {
      const read = readPolicy(bytes, "policy.yaml");
      const theirs = theirValue(bytes);
      judgePolicy({ ...read }, theirs);
      return { theirs, digest: read.sha256 };
    },
  ],
  profiles: [
    profiles,
    (bytes) => {
      const read = requireProfile(bytes, "profile.yaml");
      const theirs = theirValue(bytes);
      judgeProfile({ ...read }, theirs);
      return { theirs, digest: read.sha256 };
    },
  ],
  answers: [
    answers,
    (bytes) => {
      const read = readAnswers(bytes, "answers.yaml");
      const theirs = theirValue(bytes);
      judgeAnswers(read, theirs);
      return { theirs, digest: sha256(bytes) };
    },
  ],
};

for (const [name, [originals, read]] of Object.entries(OTHERS)) {
  test(`I01: mutants of ${name} are refused, or are the same to another reader`, async () => {
    await sweepMutants({
      ...{ row: "I01", what: `mutants of ${name}`, short: 1000, full: 25_000, originals },
      changes: { ...everyday, ...crossedWith(Object.values(scripts)) },
      judge: ({ bytes, original }) => {
        const { theirs, digest } = read(bytes);
        assert.equal(digest, sha256(bytes));
        return meaning(theirs, original);
      },
    });
  });
}
