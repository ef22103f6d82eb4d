/** Where tokens and backups are kept: asked for in the room, shown with what was before, never guessed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { placeKey } from "../../src/ceremony/custody-copies.ts";
import { backedUp, backupStage, newestBackup } from "../support/backup-stage.ts";
import { kekStep } from "../support/kek-stage.ts";
import { CAST, script } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await backupStage();
await stage.run(backedUp(["root-g1"]), CAST);

const record = (values: string): string => script([kekStep("record-custody", values)]);
const ANSWERS = {
  site: "data centre 1",
  "off-site": "no",
  container: "safe 1, bag TEB-1002",
  holders: "ben, cleo",
};

test("a script knows neither bag nor holder: the room answers, and both observers agree", async () => {
  await stage.run(record("place: token, name: alpha"), { ...CAST, answers: ANSWERS });
  assert.deepEqual(stage.findings, []);
  const place = stage.history.custody.places.get(placeKey("token", "alpha", "alpha"));
  assert.deepEqual(
    [place?.site, place?.offSite, place?.container, place?.holders],
    ["data centre 1", false, "safe 1, bag TEB-1002", ["ben", "cleo"]],
  );
  const { agreements } =
    stage
      .entries()
      .findLast(({ type, step }) => type === "step.begun" && step === "record-custody") ??
    assert.fail();
  assert.equal(agreements.length, 2);
});

test("the next move shows where the thing was before", async () => {
  const answers = { ...ANSWERS, site: "data centre 2", "off-site": "yes", holders: "dan" };
  await stage.run(record("place: token, name: alpha, vault: alpha"), { ...CAST, answers });
  const { shown } = stage.console;
  assert.ok(
    shown.includes("  before: data centre 1 (on site), safe 1, bag TEB-1002, held by ben and cleo"),
  );
  assert.ok(
    shown.includes("  now:    data centre 2 (off site), safe 1, bag TEB-1002, held by dan"),
  );
  const place = stage.history.custody.places.get(placeKey("token", "alpha", "alpha"));
  assert.equal(place?.offSite, true);
});

test("each vault of a backup has a place of its own", async () => {
  const { backup } = newestBackup(stage);
  const given = "site: data centre 2, offSite: yes, container: TEB-7, holders: [dan]";
  await stage.run(record(`place: backup, name: ${backup}, vault: offsite, ${given}`), CAST);
  assert.deepEqual(stage.findings, []);
  const { places } = stage.history.custody;
  assert.equal(places.get(placeKey("backup", backup, "offsite"))?.container, "TEB-7");
  assert.equal(places.get(placeKey("backup", backup, "onsite")), undefined);
});

test("what is not in custody has no place, and nobody off the roster holds anything", () => {
  const { backup } = newestBackup(stage);
  const first = (values: string): string => objections(stage, record(values))[0] ?? "no objection";
  assert.match(first("place: token, name: delta"), /token delta is not in custody/);
  assert.match(first("place: token, name: alpha, vault: onsite"), /alpha lies in no vault/);
  assert.match(first(`place: backup, name: ${backup}`), /name the vault/);
  assert.match(first(`place: backup, name: ${backup}, vault: attic`), /but in onsite, offsite/);
  assert.match(first("place: backup, name: backup-1, vault: onsite"), /backup-1 is not in custody/);
  assert.match(
    first("place: token, name: alpha, holders: [mallory]"),
    /mallory is not on the roster/,
  );
  assert.match(first("place: token, name: alpha, holders: [ben, ben]"), /named twice/);
  assert.match(first("place: token, name: alpha, holders: []"), /at least/);
  assert.match(first("place: token, name: alpha, offSite: perhaps"), /yes, no|"yes"/);
});

test("a holder who is mistyped is asked for again, not recorded", async () => {
  for (const holders of ["mallory", "", "ben ben", ", ,"]) {
    const before = stage.custody;
    const cast = { ...CAST, answers: { ...ANSWERS, holders } };
    // The stage's console throws where a terminal asks again.
    await assert.rejects(
      stage.run(record("place: token, name: alpha"), cast),
      /holders: ".*" (.* is not on the roster|a person is named twice|name one person|one line)/,
    );
    assert.equal(stage.custody, before);
    await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  }
});
