/**
 * A program that handles secrets as a ceremony does, many times over, and then waits to be looked at.
 * The passphrase and the PIN come on descriptor 3, each with its length before it; a share, which is made here,
 * goes out raw on descriptor 4. A line on standard input moves it on to the next stage.
 */

import { once } from "node:events";
import { writeSync } from "node:fs";
import { readDescriptor } from "../../src/lib/files.ts";
import { Secret } from "../../src/lib/secret.ts";
import { createIdentity, openIdentity } from "../../src/people/identity.ts";
import { makeShareSet } from "../../src/shares/make-share-set.ts";
import { combine, openShare, type EnteredShare } from "../../src/shares/use-share-set.ts";
import { systemRandom } from "../../src/cli/system.ts";

const ROUNDS = 5;
const TOKEN = { serial: "0001", label: "alpha" };
const PEOPLE = ["ana", "ben"] as const;

function readSecrets(): readonly [passphrase: Secret, pin: Secret] {
  const bytes = readDescriptor(3, 1000);
  const [length = 0] = bytes;
  const secrets = [
    Secret.copy(bytes.subarray(1, 1 + length)),
    Secret.copy(bytes.subarray(1 + length)),
  ] as const;
  bytes.fill(0);
  return secrets;
}

/** Makes identities and a share set, and brings the PIN back together; gives ana's share away. */
async function ceremony(passphrase: Secret, pin: Secret): Promise<Secret> {
  const made = [];
  for (const person of PEOPLE) {
    const common = { name: person, domain: "example.org", assurance: "test" } as const;
    made.push(
      await createIdentity({ person, ...common, passphrase, logN: 10, random: systemRandom }),
    );
  }
  const { set, sealed, shares } = await makeShareSet({
    purpose: "activation",
    id: "pins",
    generation: 1,
    token: TOKEN,
    threshold: 2,
    holders: made.map(({ card: { person, recipient } }) => ({ person, recipient })),
    secret: pin,
    random: systemRandom,
  });
  const entered: EnteredShare[] = [];
  for (const { sealed: identity, card } of made) {
    const opened = await openIdentity(identity, passphrase, card);
    const file = shares.get(card.person) ?? new Uint8Array(0);
    const share = await openShare(set, card.person, file, (one) => opened.opener.open(one));
    entered.push({ person: card.person, share });
    opened.wipe();
  }
  const back = await combine(set, entered, sealed, TOKEN);
  if (back.length !== pin.length) throw new Error("the PIN did not come back");
  back.wipe();
  const [first, ...others] = entered;
  for (const { share } of others) share.wipe();
  if (first === undefined) throw new Error("there is no share");
  return first.share;
}

async function stage(name: string): Promise<void> {
  process.stdout.write(`${name}\n`);
  await once(process.stdin, "data");
}

const [passphrase, pin] = readSecrets();
let share: Secret | undefined;
for (let round = 0; round < ROUNDS; round++) {
  share?.wipe();
  share = await ceremony(passphrase, pin);
}
share?.use((bytes) => writeSync(4, bytes));
await stage("holding");
for (const secret of [passphrase, pin, share]) secret?.wipe();
await stage("wiped");
process.exit(0);
