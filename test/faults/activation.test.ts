/**
 * H08, Q03, Q07, Q14: ceremonies in which wrong, mixed, stale, edited or no shares are brought to a token, wrong
 * passphrases are typed, people decline or walk away. The module never sees a C_Login, whoever is wrong is named, and
 * what others had brought is wiped. FAULTS=full conducts 10,000 ceremonies with wrong shares and types 1,000 wrong passphrases.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import type { BoundStep } from "../../src/ceremony/action.ts";
import type { Question } from "../../src/console/console.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import type { Secret } from "../../src/lib/secret.ts";
import { figure, SEED, sized } from "../support/fault-run.ts";
import { Dice } from "../support/random-mutations.ts";
import { CAST } from "../support/stage-scripts.ts";
import { ACTIVATE, KINDS_OF_WRONG, SharedStage, TWO } from "../support/wrong-shares.ts";
import type { Cast, Stage } from "../support/stage.ts";

const RUNS = sized(96, 10_000);
const PASSPHRASES = sized(50, 1_000);
/** Every so many ceremonies the right shares are brought; a site sees no more than this many times ten. */
const RIGHT_EVERY = 48;

let at = await SharedStage.create();
after(() => {
  at.stage.remove();
});

/** A new site from time to time: a ledger of a hundred thousand entries is another test's subject. */
async function renew(run: number): Promise<void> {
  if (run === 0 || run % (10 * RIGHT_EVERY) !== 0) return;
  at.stage.remove();
  at = await SharedStage.create();
}

/** Counts what the module itself is asked. */
function watched({ rig }: Stage): { readonly logins: () => number } {
  let logins = 0;
  rig.faults.before = (call) => {
    if (call === "login") logins += 1;
  };
  return { logins: () => logins };
}

/** Conducts the activation, which has to be refused; two people end it. @returns the refusal */
async function refusal(stage: Stage, cast: Cast): Promise<KeyriteError> {
  try {
    await stage.run(ACTIVATE, cast);
  } catch (error) {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(stage.history.custody.active.size, 0);
    // A roll call that came to nothing ends the ceremony by itself.
    if (stage.history.open !== null) await stage.abandon({ present: TWO });
    return error;
  }
  assert.fail("the token was activated");
}

/** The right shares log in exactly once: what is counted as none above would be seen. */
async function rightOnes(stage: Stage): Promise<number> {
  const seen = watched(stage);
  await stage.run(ACTIVATE, CAST);
  assert.equal(seen.logins(), 1);
  return 1;
}

/** Warnings of the token about its PIN: a wrong one that reached it would be among them. */
async function pinWarnings(stage: Stage): Promise<readonly string[]> {
  const token = stage.history.custody.tokens.get("alpha");
  const binding = stage.hall().bindings.tokens.get("alpha");
  if (token === undefined || binding === undefined) assert.fail("there is no token alpha");
  return (await stage.rig.hsm.find(binding.module, token.serial, token.label)).pinWarnings;
}

test(`H08 Q03: ${RUNS} ceremonies with wrong, mixed, stale or edited shares: no login, and whoever brought them is named`, async () => {
  const dice = new Dice(SEED);
  const kinds = Object.keys(KINDS_OF_WRONG);
  const counts = { ceremonies: 0, logins: 0, unnamed: 0, rightOnes: 0, pinWarnings: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    await renew(run);
    const kind = kinds[run % kinds.length] ?? "";
    const wrong = (await KINDS_OF_WRONG[kind]?.(at, dice)) ?? assert.fail();
    const seen = watched(at.stage);
    const error = await at.with(wrong.files, () => refusal(at.stage, CAST));
    assert.match(error.code, /^people\./, kind);
    counts.ceremonies += 1;
    counts.logins += seen.logins();
    if (!wrong.message.test(error.message)) {
      counts.unnamed += 1;
      process.stdout.write(`${kind}: ${error.message}\n`);
    }
    if (run % RIGHT_EVERY === RIGHT_EVERY - 1) {
      counts.pinWarnings += (await pinWarnings(at.stage)).length;
      counts.rightOnes += await rightOnes(at.stage);
    }
  }
  figure("H08", "ceremonies with wrong, mixed, stale or edited shares", counts);
  const { logins, unnamed, pinWarnings: warned } = counts;
  assert.deepEqual({ logins, unnamed, warned }, { logins: 0, unnamed: 0, warned: 0 });
});

/** The stage's vocabulary with every share that somebody brings kept in `brought`, to look at afterwards. */
function keeping(stage: Stage, brought: Secret[]): void {
  stage.actions = ACTIONS.map((action) => {
    if (action.name !== "activate-token") return action;
    return {
      ...action,
      params: action.params,
      bind: (params): BoundStep => {
        const bound = action.bind(params);
        return {
          ...bound,
          contribute: async (who, opener, room) => {
            const secret = await bound.contribute(who, opener, room);
            if (secret !== undefined) brought.push(secret);
            return secret;
          },
        };
      },
    };
  });
}

test(`Q07: ${PASSPHRASES} wrong passphrases: every one on record, no login, and the others' shares wiped`, async () => {
  const { stage } = at;
  const brought: Secret[] = [];
  keeping(stage, brought);
  const counts = { typed: 0, recorded: 0, logins: 0, left: 0, thenRight: 0 };
  for (let run = 0; counts.typed < PASSPHRASES; run += 1) {
    const wrongs = 1 + (run % 5);
    const passphrase = (person: string, step: string, attempt: number): string =>
      person === "cleo" && step === "activate" && attempt <= wrongs ? "wrong" : `${person} drill`;
    const { size } = stage.history;
    const seen = watched(stage);
    if (wrongs < 5) {
      // Mistyped and then right: the step goes on, and the token is tried once.
      await stage.run(ACTIVATE, { ...CAST, passphrase });
      assert.equal(seen.logins(), 1);
      counts.thenRight += 1;
    } else {
      const error = await refusal(stage, { ...CAST, passphrase });
      assert.match(error.message, /cleo could not open their identity/);
      counts.logins += seen.logins();
    }
    const failed = stage
      .entries()
      .slice(size)
      .filter(({ type }) => type === "auth.failed");
    counts.typed += wrongs;
    counts.recorded += failed.length;
    counts.left += brought.filter((secret) => !secret.wiped).length;
  }
  figure("Q07", "wrong passphrases at an activation", counts);
  assert.ok(brought.length > 0);
  assert.deepEqual(
    { recorded: counts.recorded, logins: counts.logins, left: counts.left },
    { recorded: counts.typed, logins: 0, left: 0 },
  );
  assert.deepEqual(await pinWarnings(stage), []);
});

test("Q14: whoever declines at whatever question, there is no login, and what was brought is wiped", async () => {
  const { stage } = at;
  const brought: Secret[] = [];
  keeping(stage, brought);
  await stage.run(ACTIVATE, CAST);
  // Everything that is asked up to the login; declining a later step leaves the token active till the end.
  const { asked } = stage.console;
  const places = asked.slice(0, asked.lastIndexOf("activate agree cleo") + 1);
  const counts = { declined: 0, logins: 0, left: 0, recorded: 0 };
  for (const place of new Set(places.filter((one) => one.split(" ")[1] === "agree"))) {
    const agrees = ({ step, id, to }: Question): boolean => `${step} ${id} ${to.person}` !== place;
    const { size } = stage.history;
    const seen = watched(stage);
    const error = await refusal(stage, { ...CAST, agrees });
    assert.equal(error.code, "people.declined", place);
    counts.declined += 1;
    counts.logins += seen.logins();
    counts.left += brought.filter((secret) => !secret.wiped).length;
    const refused = stage
      .entries()
      .slice(size)
      .filter(({ type }) => type === "step.refused");
    counts.recorded += refused.length;
  }
  figure("Q14", "declining at each question before a login", counts);
  assert.ok(counts.declined > 2);
  assert.deepEqual(counts, {
    declined: counts.declined,
    logins: 0,
    left: 0,
    recorded: counts.declined,
  });
});

test("Q14: the operator who walks away leaves no share behind, and coming back does not count", async () => {
  const { stage } = at;
  const brought: Secret[] = [];
  keeping(stage, brought);
  const counts = { walkedAway: 0, leftInMemory: 0, logins: 0 };
  for (const minutes of [10.01, 11, 600]) {
    const seen = watched(stage);
    const running = stage.run(ACTIVATE, {
      ...CAST,
      waits: async ({ step, id, to }) => {
        if (step !== "activate" || id !== "agree" || to.person !== "cleo") return;
        assert.ok(
          brought.some((secret) => !secret.wiped),
          "ben's share is here",
        );
        stage.clock.mono += minutes * 60_000;
        // Nobody answers; only what Keyrite does by itself happens now.
        await wiped(brought);
        counts.leftInMemory += brought.filter((secret) => !secret.wiped).length;
      },
    });
    await assert.rejects(running, {
      code: "people.agreement-invalid",
      message: /older than 10 minutes/,
    });
    counts.walkedAway += 1;
    counts.logins += seen.logins();
    await stage.abandon({ present: TWO });
  }
  figure("Q14", "operators who walk away between two shares", counts);
  assert.deepEqual(counts, { walkedAway: 3, leftInMemory: 0, logins: 0 });
});

/** Waits until all are wiped, at most ten seconds. */
async function wiped(secrets: readonly Secret[]): Promise<void> {
  for (let i = 0; i < 100 && secrets.some((secret) => !secret.wiped); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
