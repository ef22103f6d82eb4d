/**
 * What the readers of people's YAML files made of one, held against what the other reader of YAML sees in it: no
 * value is lost, none is added but the defaults that the format names, and what a script needs is there.
 */

import assert from "node:assert/strict";
import { isAbsolute, resolve } from "node:path";
import type { Bindings } from "../../src/ceremony/bindings.ts";
import type { Script } from "../../src/ceremony/script.ts";
import { ROLES } from "../../src/ceremony/words.ts";
import type { Answers } from "../../src/console/answers.ts";

/** `path` → scalar as JSON; an empty list or mapping is a leaf too. */
function leaves(value: unknown, path = ""): readonly (readonly [string, string])[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) return [[path, JSON.stringify(value)]];
  const items = Object.entries(value);
  if (items.length === 0) return [[path, Array.isArray(value) ? "[]" : "{}"]];
  return items.flatMap(([name, item]) => leaves(item, `${path}.${name}`));
}

/** Asserts that ours holds exactly the leaves of theirs, and else nothing but the defaults. */
export function sameLeaves(ours: unknown, theirs: unknown, defaults: RegExp): void {
  const [left, right] = [new Map(leaves(ours)), new Map(leaves(theirs))];
  for (const [path, leaf] of right) {
    assert.equal(left.get(path), leaf, `${path} is not what stands there`);
  }
  for (const [path, leaf] of left) {
    if (!right.has(path)) assert.match(`${path} ${leaf}`, defaults, `${path} stands nowhere`);
  }
}

type Loose = Readonly<Record<string, unknown>>;

const SCRIPT_DEFAULTS =
  /^\.(founding false|drill false|policyRefs \[\]|params \{\}|steps\.\d+\.(with \{\}|policyRefs \[\]|always false))$/;
const SLUG = /^[a-z][a-z0-9-]*$/;

/** A script is what the other reader sees, and what the engine relies on holds in it. */
export function judgeScript(script: Script, theirs: unknown): void {
  const { name, version, title, founding, drill, caClass, policyRefs, params, roles, steps } =
    script;
  const ours = { name, version, title, founding, drill, caClass, policyRefs, params, roles, steps };
  sameLeaves({ keyrite: "script/v1", ...ours }, theirs, SCRIPT_DEFAULTS);
  const ids = steps.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "two steps of one id");
  for (const word of [name, ...ids, ...steps.map(({ action }) => action)]) {
    assert.match(word, SLUG, "an identifier that an eye may take for another");
  }
  const closes = steps.flatMap(({ action }, at) => (action === "close" ? [at] : []));
  assert.deepEqual(closes, [steps.length - 1], "close is the last step, once");
  for (const { by } of steps) {
    if (by === "everyone") continue;
    for (const role of by) {
      assert.ok(ROLES.includes(role), `${role} is no role`);
      const needed = by.filter((one) => one === role).length;
      assert.ok((roles[role] ?? 0) >= needed, `more ${role} than are called`);
    }
  }
}

/** Bindings; paths stand in them as seen from the site. */
export function judgeBindings(bindings: Bindings, theirs: unknown, site: string): void {
  const { modules = {}, tokens = {}, media = {}, vaults = {} } = theirs as Record<string, Loose>;
  const at = (path: unknown): string =>
    isAbsolute(String(path)) ? String(path) : resolve(site, String(path));
  const folders = (paths: Loose): Loose =>
    Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, at(path)]));
  const wanted = {
    keyrite: (theirs as Loose)["keyrite"],
    modules: Object.fromEntries(
      Object.entries(modules).map(([name, module]) => {
        const { path, tokenDir, ...rest } = module as Loose;
        const own = tokenDir === undefined ? {} : { tokenDir: at(tokenDir) };
        return [name, { ...rest, name, path: at(path), ...own }];
      }),
    ),
    tokens,
    media: folders(media),
    vaults: folders(vaults),
  };
  const ours = {
    keyrite: "site/v1",
    modules: Object.fromEntries(bindings.modules),
    tokens: Object.fromEntries(
      [...bindings.tokens].map(([name, token]) => [
        name,
        { module: token.module.name, serial: token.serial, activation: token.activation },
      ]),
    ),
    media: Object.fromEntries(bindings.media),
    vaults: Object.fromEntries(bindings.vaults),
  };
  sameLeaves(ours, wanted, /^\.modules\.[^ ]+\.(environment \[\]|patience 600)$/);
  assert.deepEqual(
    Object.keys(theirs as Loose).filter((key) => !(key in ours)),
    [],
  );
}

/** Answers, which are kept by step, question and person. */
export function judgeAnswers(answers: Answers, theirs: unknown): void {
  // A question may be called constructor: nothing is inherited here.
  const nested = bare<Record<string, Record<string, unknown>>>();
  for (const { step, question, person, answers: given } of answers.answers) {
    ((nested[step] ??= bare())[question] ??= bare())[person] = given;
  }
  const agreed = bare<string[]>();
  const { agree } = answers;
  if (agree !== "all") for (const { step, person } of agree) (agreed[step] ??= []).push(person);
  const ours = {
    keyrite: "answers/v1",
    after: answers.after,
    set: Object.fromEntries(answers.set),
    passphrases: Object.fromEntries(answers.passphrases),
    answers: nested,
    agree: agree === "all" ? agree : agreed,
  };
  const { answers: given, passphrases, agree: theirAgree, ...rest } = theirs as Loose;
  const wanted = {
    ...rest,
    ...(given === undefined ? {} : { answers: withoutEmpty(listed(given, 3)) }),
    ...(passphrases === undefined ? {} : { passphrases: listed(passphrases, 1) }),
    agree: withoutEmpty(theirAgree),
  };
  sameLeaves(ours, wanted, /^\.(after \[\]|set \{\}|passphrases \{\}|answers \{\})$/);
}

function bare<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

/** One answer is a list of one. */
function listed(value: unknown, depth: number): unknown {
  if (depth === 0) return Array.isArray(value) ? value : [value];
  return Object.fromEntries(
    Object.entries(value as Loose).map(([name, item]) => [name, listed(item, depth - 1)]),
  );
}

/** Without branches that hold no answer. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value)
    .map(([name, item]) => [name, withoutEmpty(item)] as const)
    .filter(([, item]) => typeof item !== "object" || Object.keys(item as Loose).length > 0);
  return Object.fromEntries(kept);
}

const POLICY_DEFAULTS =
  /^\.(separate \[\]|witnesses \{\}|witnesses\.[a-z-]+ \[\]|kek\.escrow "forbidden"|copies\.(tokens 2|offSite 1)|drills\.maxAgeDays 90)$/;

export function judgePolicy(policy: Loose, theirs: unknown): void {
  const { sha256, ...ours } = policy;
  assert.equal(typeof sha256, "string");
  sameLeaves(ours, theirs, POLICY_DEFAULTS);
}

const PROFILE_DEFAULTS =
  /^\.(rsaPadding "pkcs1"|validity\.backdate 0|extKeyUsage \[\]|certificatePolicies \[\]|certificatePolicies\.\d+\.cps \[\]|nameConstraints\.(critical true|permitted \[\]|excluded \[\])|authorityInfoAccess \{\}|authorityKeyId true|ocspNoCheck false)$/;

export function judgeProfile(profile: Loose, theirs: unknown): void {
  const { sha256, ...ours } = profile;
  assert.equal(typeof sha256, "string");
  sameLeaves(ours, theirs, PROFILE_DEFAULTS);
}
