/** People of production assurance, made by the library: at the prompt they need a terminal. */

import { mkdirSync } from "node:fs";
import { createIdentity } from "../../src/people/identity.ts";
import { openMedium } from "../../src/people/medium.ts";
import { secretOf } from "./identities.ts";
import { FOUNDERS, type RehearsedSite } from "./rehearsed-site.ts";
import { systemRandom } from "./rig.ts";

/** Gives every founder a production identity; each passphrase is `<person> drill`. */
export async function makeProductionPeople(site: RehearsedSite): Promise<void> {
  for (const person of Object.keys(FOUNDERS)) {
    mkdirSync(site.medium(person), { recursive: true });
    const { sealed, card } = await createIdentity({
      person,
      name: person,
      domain: "example.org",
      assurance: "production",
      passphrase: secretOf(`${person} drill`),
      logN: 17,
      random: systemRandom,
    });
    openMedium(site.medium(person)).writeIdentity(sealed, card);
  }
}
