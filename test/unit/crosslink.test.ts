/** Recording another site's newer head: only one that is proved to extend what is recorded here. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { formatRequest, parseRequest } from "../../src/ledger/witness.ts";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { sha256, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { ORIGIN } from "../support/ledger-fixture.ts";
import { CAST, DEVIATION, script } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";
import { handOver, otherSite, siteWithBackup } from "../support/two-sites.ts";

const BY = "by: [ceremony-administrator, internal-witness]";
const TRUST = script([
  `id: trust, action: trust-site, ${BY}, with: { origin: "${ORIGIN}", from: offsite }`,
]);
const LINK = script(
  [`id: link, action: crosslink, ${BY}, with: { origin: "${ORIGIN}", request: $request }`],
  ["params: { request: { type: file, about: request of the other site } }"],
);
const SET = { request: "dc1.request" };

const dc1 = await siteWithBackup();
const dc2 = await otherSite();
handOver(dc1, dc2);
dc2.clock.time = dc1.clock.time;
await dc2.run(TRUST, CAST);
const adopted = dc2.history.custody.peers.get(ORIGIN) ?? assert.fail("dc1 is not adopted");
dc1.clock.time = dc2.clock.time;
await dc1.run(DEVIATION, CAST);

/** What dc1 writes for somebody who carries its head of this size. */
function requestFrom(old: number): string {
  const { ledger } = dc1;
  const checkpoint = ledger.checkpoint() ?? assert.fail("no checkpoint");
  return formatRequest({ old, hashes: ledger.consistencyProof(old, ledger.size), checkpoint });
}

function fork(t: TestContext, request: string): Stage {
  const stage = dc2.fork();
  stage.clock.time = dc1.clock.time;
  stage.lent.set("dc1.request", utf8(request));
  t.after(() => {
    stage.remove();
  });
  return stage;
}

async function refused(stage: Stage, code: ErrorCode, words: RegExp): Promise<void> {
  await assert.rejects(stage.run(LINK, CAST, { set: SET }), (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    assert.ok(error.hints.length > 0);
    return true;
  });
  assert.equal(stage.entries().at(-1)?.type, "step.refused");
  assert.deepEqual(stage.history.custody.peers.get(ORIGIN), adopted);
}

test("a newer head that extends the recorded one is recorded, and can be judged anew", async (t) => {
  const stage = fork(t, requestFrom(adopted.size));
  await stage.run(LINK, CAST, { set: SET });
  const peer = stage.history.custody.peers.get(ORIGIN);
  assert.equal(peer?.size, dc1.ledger.size);
  assert.equal(peer.genesis, adopted.genesis);
  assert.ok(stage.ledger.attachment(peer.checkpoint) !== undefined, "the head is attached");
  assert.deepEqual(stage.judge().findings, []);
  // Once more the same: there is nothing newer.
  await assert.rejects(stage.run(LINK, CAST, { set: SET }), /starts from size \d+, the head you/);
});

test("C15: a proof that does not lead on means that the other ledger was changed: nothing is recorded", async (t) => {
  const good = parseRequest(requestFrom(adopted.size));
  const [first, ...rest] = good.hashes;
  assert.ok(first);
  const bent = formatRequest({ ...good, hashes: [sha256(first), ...rest] });
  await refused(fork(t, bent), "ledger.forked", /does not extend your head of size/);
  const short = formatRequest({ ...good, hashes: rest });
  await refused(fork(t, short), "ledger.forked", /does not extend your head of size/);
});

test("a head of another key, of another start, or smaller than the recorded one is refused", async (t) => {
  const good = parseRequest(requestFrom(adopted.size));
  const { size } = dc1.ledger;
  const root = dc1.ledger.root();
  const foreign = signCheckpoint(
    { origin: ORIGIN, size, root },
    signingKeyFromSeed(new Uint8Array(32).fill(9)),
  );
  const other = formatRequest({ ...good, checkpoint: foreign });
  await refused(fork(t, other), "ledger.not-trusted", /not signed by the ledger key/);
  await refused(fork(t, requestFrom(1)), "ledger.not-trusted", /starts from size 1, the head/);
  const before = dc1.ledger.checkpoint(1) ?? assert.fail("no checkpoint of size 1");
  const smaller = formatRequest({ ...good, hashes: [], checkpoint: before });
  await refused(fork(t, smaller), "ledger.forked", /has 1 entries, your head has/);
});

test("a site that was never adopted has no head here to go on from", () => {
  const never = LINK.replace(ORIGIN, "pki.example.org/nobody/test");
  dc2.lent.set("dc1.request", utf8(requestFrom(adopted.size)));
  assert.match(objections(dc2, never, SET).join(), /is not adopted by then: run trust-site first/);
});
