/** People for tests: cheap to seal, and the same in every run. */

import type { Random } from "../../src/lib/clock.ts";
import { concat, sha256, utf8 } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { Assurance, Card } from "../../src/people/card.ts";
import { createIdentity, openIdentity, type OpenedIdentity } from "../../src/people/identity.ts";

/** Bytes that depend on the seed only. */
export function seededRandom(seed: string): Random {
  let count = 0;
  return {
    bytes(length) {
      let out = new Uint8Array();
      while (out.length < length) out = concat(out, sha256(`${seed} ${count++}`)) as typeof out;
      return out.slice(0, length);
    },
  };
}

export function secretOf(text: string): Secret {
  return Secret.take(utf8(text));
}

/** The bytes of a secret as text, for comparing; the secret is wiped. */
export function textOf(secret: Secret): string {
  const text = secret.use((bytes) => Buffer.from(bytes).toString());
  secret.wipe();
  return text;
}

export interface TestPerson {
  readonly card: Card;
  readonly sealed: Uint8Array;
  readonly passphrase: string;
  readonly opened: OpenedIdentity;
}

/** A person whose passphrase is `<person> drill`, with an opened identity. */
export async function makePerson(
  person: string,
  assurance: Assurance = "test",
  seed = person,
): Promise<TestPerson> {
  const passphrase = `${person} drill`;
  const { sealed, card } = await createIdentity({
    person,
    name: `${person} Example`,
    domain: "example.org",
    assurance,
    passphrase: secretOf(passphrase),
    logN: assurance === "test" ? 2 : 17,
    random: seededRandom(seed),
  });
  const opened = await openIdentity(sealed, secretOf(passphrase), card);
  return { card, sealed, passphrase, opened };
}
