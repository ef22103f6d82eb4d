/** What planning finds wrong with tokens, roles, `by` lists and the values of parameters, word by word. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../../src/ceremony/action.ts";
import { PlanInputs } from "../../src/ceremony/inputs.ts";
import { byBlames, roleBlames, tokenBlames, type Blame } from "../../src/ceremony/plan-blames.ts";
import { paramValues } from "../../src/ceremony/plan-params.ts";
import type { PlanInput } from "../../src/ceremony/plan.ts";
import { productionObjections, readPolicy } from "../../src/ceremony/policy.ts";
import type { ParamSpec, ScriptStep } from "../../src/ceremony/script.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { POLICY } from "../support/stage-site.ts";

interface Bound {
  readonly serial?: string;
  readonly module?: string;
}

/** What planning knows of a token `alpha`: what site.yaml says, what the ledger says, which module is there. */
function tokens(site: string, ledger: Bound | null, found: string | null): PlanInput {
  const binding = { module: { name: "soft" }, serial: site };
  const bound = { serial: "S1", module: "m", ...ledger };
  return {
    bindings: {
      tokens: new Map([
        ["alpha", binding],
        ["beta", binding],
      ]),
    },
    custody: { tokens: new Map(ledger === null ? [] : [["alpha", bound]]) },
    modules: found === null ? {} : { soft: found },
  } as unknown as PlanInput;
}

const WINS = "the ledger wins: correct site.yaml";
const MODULE = "the module file of token alpha is not the one it was bound with";

const TOKENS: readonly (readonly [what: string, input: PlanInput, blames: readonly Blame[]])[] = [
  ["as the ledger binds it", tokens("S1", {}, "m"), []],
  ["that the ledger does not know", tokens("S2", null, "other"), []],
  ["whose serial site.yaml leaves open", tokens("blank", {}, "m"), []],
  ["whose module is not there", tokens("S1", {}, null), []],
  [
    "with another serial",
    tokens("S2", {}, "m"),
    [
      {
        at: [],
        text: 'site.yaml gives token alpha the serial "S2", the ledger binds it to "S1"',
        hint: WINS,
      },
    ],
  ],
  [
    "with another module",
    tokens("S1", {}, "n"),
    [{ at: [], text: MODULE, hint: "expected SHA-256 m, found n" }],
  ],
];

for (const [what, input, blames] of TOKENS) {
  test(`a token ${what}`, () => {
    assert.deepEqual(tokenBlames(input, "alpha"), blames);
  });
}

test("a token without a binding, with the name that was meant or all that there are", () => {
  const input = tokens("S1", null, null);
  const said = (token: string): readonly Blame[] => tokenBlames(input, token);
  const text = (token: string): string => `token "${token}" has no binding in site.yaml`;
  assert.deepEqual(said("alpah"), [{ at: [], text: text("alpah"), hint: 'did you mean "alpha"?' }]);
  assert.deepEqual(said("omega9"), [
    { at: [], text: text("omega9"), hint: "bound there: alpha, beta" },
  ]);
});

type Counts = Readonly<Partial<Record<Role, number>>>;

function roles(
  caClass: string,
  wanted: Counts,
  roster: readonly (readonly Role[])[],
): readonly Blame[] {
  const people = new Map(
    roster.map((held, index) => [`p${index}`, { person: `p${index}`, roles: held }]),
  );
  const policy = { witnesses: { root: ["internal-witness", "external-witness"] } };
  const input = { script: { caClass, roles: wanted }, custody: { people }, policy };
  return roleBlames(input as unknown as PlanInput);
}

const FILL = { at: ["roles"], text: "the roster cannot fill all roles with different people" };

test("the witnesses that the policy wants at ceremonies of a class", () => {
  const wanted = { "internal-witness": 1 } as const;
  const roster = [["internal-witness"]] as const;
  const text = "the policy wants a external-witness at a root ceremony";
  assert.deepEqual(roles("root", wanted, roster), [{ at: ["roles"], text }]);
  assert.deepEqual(roles("none", wanted, roster), []);
  assert.deepEqual(roles("external-sub", wanted, roster), []);
});

test("roles that the roster cannot fill, alone or together", () => {
  const hint = "enrol more people with the role, or correct the script";
  assert.deepEqual(roles("none", { custodian: 2 }, [["custodian"], ["auditor"]]), [
    { at: ["roles", "custodian"], text: "the script needs 2 × custodian, the roster has 1", hint },
    FILL,
  ]);
  assert.deepEqual(roles("none", { custodian: 1, auditor: 1 }, [["custodian", "auditor"]]), [FILL]);
  assert.deepEqual(
    roles("none", { custodian: 1, auditor: 1 }, [["custodian", "auditor"], ["custodian"]]),
    [],
  );
});

const by = (who: ScriptStep["by"], control: Action["control"]): readonly Blame[] =>
  byBlames({ by: who } as ScriptStep, { name: "act", control } as Action);
const BY = (text: string): Blame => ({ at: ["by"], text });

test("who may do a step under each control", () => {
  const looksOn = (role: string): Blame => BY(`${role} looks on and cannot authorise act`);
  const few = BY("act is under dual control: name at least two people's roles");
  assert.deepEqual(by("everyone", "everyone"), []);
  assert.deepEqual(by(["custodian"], "everyone"), [BY("act is by everyone")]);
  assert.deepEqual(by("everyone", "dual"), [BY("act needs a list of roles, not everyone")]);
  assert.deepEqual(by("everyone", "none"), [BY("act needs a list of roles, not everyone")]);
  assert.deepEqual(by(["auditor"], "none"), []);
  assert.deepEqual(by(["auditor"], "single"), []);
  assert.deepEqual(by(["custodian", "custodian"], "dual"), []);
  assert.deepEqual(by(["custodian"], "dual"), [few]);
  assert.deepEqual(by(["auditor"], "dual"), [few, looksOn("auditor")]);
  assert.deepEqual(by(["auditor", "external-witness", "custodian"], "dual"), [
    looksOn("external-witness"),
    looksOn("auditor"),
  ]);
});

const DIGEST = sha256Hex("a file");
const INPUTS = new PlanInputs({
  file: (path: string) => {
    if (path === "there.txt") return utf8("a file");
    if (path === "broken") throw new Error("a bug");
    throw new KeyriteError("usage.bad-file", `${path} is not there`);
  },
} as ConstructorParameters<typeof PlanInputs>[0]);

const spec = (type: ParamSpec["type"], more: Partial<ParamSpec> = {}): ParamSpec => ({
  type,
  about: "x",
  ...more,
});

function values(
  params: Readonly<Record<string, ParamSpec>>,
  set: Readonly<Record<string, string>>,
) {
  return paramValues({ params }, set, INPUTS);
}

test("values come from what is given, then from the default; a file is its digest", () => {
  const params = {
    count: spec("integer", { default: 4 }),
    name: spec("text"),
    paper: spec("file"),
  };
  const given = { name: "so", paper: "there.txt" };
  assert.deepEqual(values(params, given), {
    values: { count: 4, name: "so", paper: DIGEST },
    blames: [],
  });
  assert.deepEqual(values(params, { ...given, count: "5" }).values["count"], 5);
});

test("what is wrong with values is said of each, and none of them is taken", () => {
  const params = { count: spec("integer"), name: spec("text"), paper: spec("file") };
  assert.deepEqual(values(params, { count: "x", nmae: "so", zzzzzz: "1", paper: "gone.txt" }), {
    values: {},
    blames: [
      { at: [], text: 'the script has no parameter "nmae"', hint: 'did you mean "name"?' },
      { at: [], text: 'the script has no parameter "zzzzzz"' },
      { at: ["count"], text: 'parameter "count": the value "x" is not a whole number' },
      { at: ["name"], text: 'parameter "name" has no value', hint: "add --set name=…" },
      {
        at: ["paper"],
        text: 'parameter "paper": the value "gone.txt" is no file that can be taken in: gone.txt is not there',
      },
    ],
  });
  assert.throws(() => values({ paper: spec("file") }, { paper: "broken" }), /^Error: a bug$/);
});

test("what production forbids in a policy", () => {
  const policy = readPolicy(utf8(POLICY), "policy.yaml");
  const whole = { manufacturer: "M", model: "m", firmware: "1", moduleDigest: DIGEST };
  const said = (logN: number, ...hsms: readonly object[]): readonly string[] =>
    productionObjections({ ...policy, kdf: { logN }, hsms: hsms as typeof policy.hsms });
  assert.deepEqual(said(17, whole), []);
  assert.deepEqual(said(16, whole), ["kdf.logN is 16; production demands at least 17"]);
  const text = 'the entry for "M" must name model, firmware and moduleDigest on a production site';
  for (const member of ["model", "firmware", "moduleDigest"]) {
    assert.deepEqual(said(18, whole, { ...whole, [member]: undefined }), [text], member);
  }
});
