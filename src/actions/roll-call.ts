/** Who is present, in which role; and that the ledger extends every head they carry. */

import { defineAction, type Room } from "../ceremony/action.ts";
import type { Attending } from "../ceremony/custody.ts";
import { whoMayAct } from "../ceremony/people-dates.ts";
import { KeyriteError } from "../lib/errors.ts";
import { groupedHex, visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";

const ABSENT = "absent";

type Present = Readonly<Pick<Attending, "person" | "role">> & JsonObject;

interface Carried extends JsonObject {
  readonly person: string;
  /** Null when the person carries no head of this ledger yet. */
  readonly size: number | null;
  readonly root: string | null;
}

interface Roll extends JsonObject {
  readonly attending: readonly Present[];
  readonly heads: readonly Carried[];
  readonly bindings: string;
  readonly bindingsChange: readonly string[];
  readonly tail: JsonObject | null;
}

/**
 * Establishes the roll. Everybody on it opens their identity once and signs the plan: that proves
 * presence and is never agreement to a later step.
 */
export const rollCall = defineAction<Record<string, never>, Roll, Roll>({
  name: "roll-call",
  control: "everyone",
  params: () => z.strictObject({}),
  facts: ["people.present"],
  instruction: () => "Call the roll: everybody present says in which role, and signs the plan.",
  forecast: (_, custody) => ({
    attending: [...custody.people.values()].map(({ person, roles }) => ({
      person,
      role: roles[0] ?? "recorder",
    })),
    heads: [],
    bindings: custody.bindings ?? "0".repeat(64),
    bindingsChange: [],
    tail: null,
  }),
  establishes: (_, { attending, bindings }) => [
    {
      kind: "people.present",
      attending: attending.map(({ person, role }) => ({ person, role })),
      bindings,
    },
  ],
  admits: (_, roll, fact) =>
    fact.kind === "people.present" &&
    fact.bindings === roll.bindings &&
    JSON.stringify(fact.attending) === JSON.stringify(roll.attending.map(plain)),
  async subject(_, room) {
    const attending = await askWhoIsPresent(room);
    requireRoles(room, attending);
    const heads = await checkHeads(room, attending);
    const { bindings, bindingsChange, tail } = room.standing;
    const data: Roll = {
      attending: attending.map(plain),
      heads,
      bindings,
      bindingsChange,
      tail: tail === null ? null : { ...tail },
    };
    return { data, shown: rollLines(room, attending, heads), attending: data.attending };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
});

function plain({ person, role }: Attending): Present {
  return { person, role };
}

async function askWhoIsPresent(room: Room): Promise<readonly (Attending & { name: string })[]> {
  const present: (Attending & { name: string })[] = [];
  const asked = [...room.custody.people.values()].filter(({ roles }) =>
    roles.some((role) => room.standing.roles[role] !== undefined),
  );
  for (const { person, roles, card } of whoMayAct(room, room.custody, asked)) {
    const possible = roles.filter((role) => room.standing.roles[role] !== undefined);
    const answer = await room.console.choose({
      id: "present",
      to: { person, name: card.name },
      text: "are you present, and in which role?",
      choices: [
        ...possible.map((role) => ({ value: role, label: role })),
        { value: ABSENT, label: "not present" },
      ],
      preset: ABSENT,
    });
    const role = possible.find((r) => r === answer);
    if (role !== undefined) present.push({ person, role, name: card.name });
  }
  return present;
}

function requireRoles(room: Room, attending: readonly Attending[]): void {
  for (const [role, least] of Object.entries(room.standing.roles)) {
    const count = attending.filter((a) => a.role === role).length;
    if (count >= least) continue;
    throw new KeyriteError(
      "people.quorum-not-met",
      `the script needs ${least} × ${role}, ${count} ${count === 1 ? "is" : "are"} present`,
      { hints: ["call whoever is missing into the room, then call the roll again"] },
    );
  }
}

async function checkHeads(
  room: Room,
  attending: readonly (Attending & { name: string })[],
): Promise<readonly Carried[]> {
  const heads: Carried[] = [];
  for (const { person, name } of attending) {
    const medium = await room.people.medium(person, name);
    const note = medium.readHead(room.origin);
    if (note === undefined) heads.push({ person, size: null, root: null });
    else heads.push({ person, ...room.standing.checkHead(note, person) });
  }
  return heads;
}

function rollLines(
  room: Room,
  attending: readonly (Attending & { name: string })[],
  heads: readonly Carried[],
): readonly string[] {
  const { bindingsChange, tail } = room.standing;
  const lines = ["Present:"];
  for (const { person, role, name } of attending)
    lines.push(`  ${visible(name)} (${person}), ${role}`);
  lines.push("Heads on their media, each extended by this ledger:");
  for (const { person, size, root } of heads) {
    lines.push(
      size !== null && root !== null
        ? `  ${person}: size ${size}, root ${groupedHex(root.slice(0, 16))} …`
        : `  ${person}: ${withoutHead(room.standing.lastCosigned(person))}`,
    );
  }
  if (bindingsChange.length > 0) {
    lines.push("site.yaml changed since it was last agreed to:");
    lines.push(...bindingsChange.map((change) => `  ${visible(change)}`));
  }
  if (tail !== null) {
    lines.push(
      `Entries ${tail.from} to ${tail.to - 1} are not cosigned; they are shown after the roll.`,
    );
  }
  return lines;
}

// A medium that was emptied or exchanged would hide that the ledger was cut back to before its owner's last head.
function withoutHead(cosigned: number | undefined): string {
  if (cosigned === undefined) return "none yet";
  return `NONE on this medium, although a head of size ${cosigned} was cosigned: ask where that one is`;
}
