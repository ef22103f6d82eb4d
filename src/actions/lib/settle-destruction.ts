/** What an interrupted destruction left: one listing of each token in doubt, and the vaults as they are. */

import type { BatchGroup, Room, Settlement } from "../../ceremony/action.ts";
import type { JsonObject } from "../../lib/json.ts";
import { blobName, type Everywhere } from "./destroy-everywhere.ts";
import { remainsLines, remainsOn, type OnToken } from "./destroy-on-token.ts";

interface Intent {
  readonly onToken: OnToken | null;
  readonly everywhere: Everywhere | null;
}

// What is destroyed cannot be taken back, so the only way is on; abandoning leaves the rest as it is.
const FINISH = { choices: ["finish"] } as const;

/** Looks at what is in doubt, and changes nothing. */
export async function settleDestruction(
  room: Room,
  { onToken, everywhere }: Intent,
  group: BatchGroup | null,
  done: ReadonlySet<string>,
): Promise<Settlement> {
  const items = (group?.items ?? []).filter(({ item }) => !done.has(item));
  if (onToken !== null) {
    const remains = await remainsOn(room.tokens.session(onToken.token));
    const ckaIds = items.map(({ ckaId }) => ckaId);
    const left = ckaIds.filter((ckaId) => remains.has(ckaId));
    return {
      ...FINISH,
      shown: [
        ...remainsLines(onToken.token, ckaIds, remains),
        `${onToken.count - done.size} of ${onToken.count} copies have no outcome on record yet.`,
      ],
      data: { inDoubt: ckaIds, left },
    };
  }
  const findings: string[] = [];
  for (const copy of everywhere?.copies ?? []) {
    const name = `${copy.place} ${copy.name}`;
    if (items.every(({ item }) => item !== name)) continue;
    if (copy.place === "token") {
      const remains = await remainsOn(room.tokens.session(copy.name));
      findings.push(...remainsLines(copy.name, [copy.ckaId], remains));
    } else findings.push(...(await vaultLines(room, everywhere?.spki ?? "", copy)));
  }
  return { ...FINISH, shown: findings, data: { findings } satisfies JsonObject };
}

async function vaultLines(
  room: Room,
  spki: string,
  { name, vaults }: { readonly name: string; readonly vaults: readonly string[] },
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const vault of vaults) {
    const files = await (await room.vaults.open(vault, name)).list();
    const there = files.includes(blobName(spki)) ? "is still there" : "is gone";
    lines.push(`Backup ${name} in vault ${vault}: the wrapped key ${there}.`);
  }
  return lines;
}
