/**
 * The shipped ceremonies of one site, from nothing, with secrets that stand nowhere else: no form of any is in a file that
 * is left, in what is printed, or in anything written on the way, and no file is made outside the site's places.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { CanarySite, secretsOf } from "../support/canary-site.ts";
import { hits, placesBelow, type Place } from "../support/canaries.ts";
import { policyWith } from "../support/escrowed-site.ts";
import { figure, FULL } from "../support/fault-run.ts";
import {
  initOptions,
  newFolder,
  succeeded,
  type Ran,
  type RunOptions,
} from "../support/rehearsed-site.ts";
import { preparedFor, shippedInOrder } from "../support/shipped.ts";
import { readTrace, tracedInto } from "../support/traced.ts";

/** Their other site is founded by the same people's media, with the passphrases of its own answers. */
const WITH_PEER = ["trust-site", "crosslink"];
const SHORT = ["prepare-backup", "generate-root-ca"];

/** Traces every command; `outputs` is all that was printed. */
class TracedSite extends CanarySite {
  readonly outputs: Place[] = [];
  readonly written: Place[] = [];
  readonly made = new Set<string>();
  writes = 0;
  #runs = 0;

  override keyrite(args: readonly string[], options: RunOptions = {}): Ran {
    this.#runs += 1;
    const [trace, name] = [
      join(this.folder, "..", `trace-${this.#runs}`),
      args.slice(0, 2).join(" "),
    ];
    const ran = super.keyrite(args, { ...options, under: tracedInto(trace) });
    this.outputs.push({ name: `output of ${name}`, bytes: Buffer.from(ran.stdout + ran.stderr) });
    const { written, writes, made } = readTrace(trace, name);
    this.written.push(written);
    this.writes += writes;
    for (const path of made) this.made.add(path);
    return ran;
  }
}

test("S02, S06: no secret of a shipped ceremony is left, printed or written on the way, and no temporary file is made", async () => {
  const site = new TracedSite(newFolder());
  site.makePeople();
  const options = initOptions(site, { policy: policyWith(site) });
  succeeded(site.keyrite(["init", "--site", site.site, ...options]));
  const ceremonies = shippedInOrder(FULL ? undefined : SHORT).filter(
    (name) => !WITH_PEER.includes(name),
  );
  for (const ceremony of ceremonies) {
    succeeded(site.rehearse(ceremony, undefined, preparedFor(site, ceremony)));
    // Its token is there from here on, and later ones may end it.
    if (ceremony === "prepare-backup") succeeded(site.rehearseSecrets());
  }
  const secrets = await secretsOf(site);
  assert.ok([...secrets.keys()].some((name) => name.startsWith("KEK ")));
  assert.ok(secrets.size >= 60, `${secrets.size} secrets were opened`);
  const planted = Buffer.concat([Buffer.from("before"), ...secrets.values()]);
  assert.equal(
    new Set(hits(secrets, [{ name: "planted", bytes: planted }])).size >= secrets.size,
    true,
  );

  const left = placesBelow(site.folder);
  const found = [...left, ...site.outputs, ...site.written].flatMap((place) =>
    hits(secrets, [place]),
  );
  const outside = [...site.made].filter(
    (path) =>
      path.startsWith("/") && !path.startsWith(site.folder) && !path.startsWith("/dev/null"),
  );
  figure("S02", "secrets of the shipped ceremonies in files, output and traced writes", {
    ceremonies: ceremonies.length + 1,
    secrets: secrets.size,
    files: left.length,
    writes: site.writes,
    hits: found.length,
  });
  figure("S06", "files made outside the site, its media and vaults", {
    made: site.made.size,
    outside: outside.length,
  });
  assert.deepEqual(found, []);
  assert.deepEqual(outside, []);
  assert.ok(
    site.written.some(({ bytes }) => bytes.includes("step.completed")),
    "the trace saw the record",
  );
});
