/** Two vendors, one backup: what SoftHSM wraps NSS restores, and the other way round. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { all, item, ready, wrappable, wrapOne, type Ready } from "../support/backup-rig.ts";
import { refused } from "../support/hsm-asserts.ts";
import { nssRig } from "../support/nss.ts";
import { softhsmRig } from "../support/softhsm.ts";
import type { Kek } from "../../src/hsm/backup.ts";

const tokens = new Map<string, Ready>();
const at = (name: string): Ready => tokens.get(name) ?? assert.fail(`${name} is not ready`);

before(async () => {
  tokens.set("softhsm", await ready(softhsmRig()));
  tokens.set("nss", await ready(nssRig()));
});
after(async () => {
  for (const { rig } of tokens.values()) {
    await rig.hsm.close();
    rig.remove();
  }
});

for (const [from, to] of [
  ["softhsm", "nss"],
  ["nss", "softhsm"],
] as const) {
  describe(`H17: from ${from} to ${to}`, () => {
    const shared = `5a${from === "nss" ? "01" : "02"}`;
    let kek: Kek;

    test("a KEK travels in an envelope, and both ends compute one check value", async () => {
      const { session, transport } = at(from);
      const receiver = at(to);
      const oaep = await receiver.session.oaepHashes(receiver.transport);
      const made = await session.establishKek({
        label: shared,
        ckaId: shared,
        ownTransport: transport,
        transports: [{ spki: receiver.transport.spki, oaep }],
      });
      kek = made;
      const [, envelope] = made.envelopes;
      assert.equal(envelope?.spkiSha256, receiver.transport.spkiSha256);
      // SoftHSM has OAEP with SHA-1 only, so that is what both can do.
      assert.equal(envelope.oaep, "sha1");
      const asked = { label: shared, ckaId: shared, transport: receiver.transport, envelope };
      await refused(receiver.session.loadKek({ ...asked, checkValue: receiver.kek.checkValue }), {
        code: "hsm.wrong-kek",
      });
      const loaded = await receiver.session.loadKek({ ...asked, checkValue: made.checkValue });
      assert.equal(loaded.checkValue, made.checkValue);
      assert.notEqual(loaded.checkValue, receiver.kek.checkValue);
    });

    for (const algorithm of ["rsa-3072", "p-256", "p-384"] as const) {
      test(`H17: ${algorithm} comes back and signs`, async () => {
        const sender = at(from);
        const receiver = at(to);
        const label = `${from}-${algorithm}`;
        const key = await sender.session.generateKeyPair(wrappable(algorithm, label));
        const blob = await wrapOne({ ...sender, kek: { ...sender.kek, ...kek } }, key);
        assert.equal(blob.format, "rfc5649");
        const lost = [item(blob, algorithm, label)];
        const stale = { ...receiver.kek };
        const [wrong] = await all(receiver.session.unwrapAll(stale, lost, { as: "session" }));
        assert.equal(wrong?.status, "problem");
        const [outcome] = await all(receiver.session.unwrapAll(kek, lost, { as: "token" }));
        assert.equal(outcome?.status, "ok", JSON.stringify(outcome));
        assert.equal(outcome.spkiSha256, key.spkiSha256);
        assert.equal(outcome.waivers.length > 0, to === "nss");
      });
    }
  });
}
