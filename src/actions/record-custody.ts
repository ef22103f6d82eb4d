/**
 * Records where a token or a backup is kept and by whom, seen by two observers: at first, and whenever a
 * copy or a bag moves from place to place.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { EVERYONE } from "../console/console.ts";
import { always, condition } from "../ceremony/conditions.ts";
import type { Custody } from "../ceremony/custody.ts";
import { placeKey } from "../ceremony/custody-copies.ts";
import type { FactOf } from "../ceremony/facts.ts";
import { label, line, slug } from "../ceremony/words.ts";
import { digestOf, visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";

const params = () =>
  z.strictObject({
    place: z.enum(["token", "backup"]),
    name: label,
    vault: label.optional(),
    site: line.optional(),
    /** Whether it lies away from the site; a word, so that a parameter of a script can give it. */
    offSite: z.enum(["yes", "no"]).optional(),
    container: line.optional(),
    holders: z.array(slug).min(1).optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Moved extends JsonObject {
  readonly place: "token" | "backup";
  readonly name: string;
  readonly vault: string;
  readonly site: string;
  readonly offSite: boolean;
  readonly container: string;
  readonly holders: readonly string[];
  /** What custody said before, or null. */
  readonly before: JsonObject | null;
}

export const recordCustody = defineAction<Params, Moved, Moved>({
  name: "record-custody",
  control: "dual",
  params,
  facts: ["copy.moved"],
  instruction: (p) => `Record where ${where(p)} is kept, in which container, and by whom.`,
  requires: (p) => [
    condition("name", ({ custody }) => notInCustody(custody, p)),
    always("vault", vaultProblem(p)),
    condition("holders", ({ custody }) => p.holders && holdersProblem(custody, p.holders)),
  ],
  forecast: (p) => ({
    place: p.place,
    name: p.name,
    vault: p.vault ?? p.name,
    site: p.site ?? "planned",
    offSite: p.offSite === "yes",
    container: p.container ?? "planned",
    holders: p.holders ?? ["planned"],
    before: null,
  }),
  establishes: (_, moved) => [factOf(moved)],
  admits: (_, moved, fact) =>
    fact.kind === "copy.moved" && digestOf({ ...fact }) === digestOf({ ...factOf(moved) }),
  async subject(p, room) {
    const vault = p.vault ?? p.name;
    const known = room.custody.places.get(placeKey(p.place, p.name, vault));
    const before = known === undefined ? null : { ...known, holders: [...known.holders] };
    const data = { place: p.place, name: p.name, vault, ...(await whereabouts(p, room)), before };
    return { data, shown: lines(p, data, before) };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  settle: (p) =>
    Promise.resolve({
      shown: [`Nothing but the record was to change: look again where ${where(p)} is.`],
      data: {},
      choices: ["finish"],
    }),
});

function where({ place, name, vault }: Params): string {
  return `${place} ${name}${place === "token" ? "" : ` in vault ${vault ?? "?"}`}`;
}

function factOf(moved: Moved): FactOf<"copy.moved"> {
  const { place, name, vault, site, offSite, container, holders } = moved;
  return {
    kind: "copy.moved",
    place,
    name,
    vault,
    site,
    offSite,
    container,
    holders: [...holders],
  };
}

function vaultProblem({ place, name, vault }: Params): string | undefined {
  if (place === "backup" && vault === undefined) return "name the vault that the backup lies in";
  // A script that serves tokens and backups gives a token's own name.
  if (place === "token" && vault !== undefined && vault !== name) {
    return `token ${name} lies in no vault: give its own name`;
  }
  return undefined;
}

function notInCustody(custody: Custody, { place, name, vault }: Params): string | undefined {
  if (place === "token") {
    return custody.tokens.has(name) ? undefined : `token ${name} is not in custody by then`;
  }
  const backup = custody.backups.get(name);
  if (backup === undefined) return `backup ${name} is not in custody by then`;
  if (vault === undefined || backup.vaults.includes(vault)) return undefined;
  return `backup ${name} does not lie in vault ${vault}, but in ${backup.vaults.join(", ")}`;
}

type Whereabouts = Pick<FactOf<"copy.moved">, "site" | "offSite" | "container" | "holders">;

/** What the script leaves open is answered in the room: bags and holders are known only there. */
async function whereabouts(p: Params, room: Room): Promise<Whereabouts> {
  const site = p.site ?? (await ask(room, "site", `at which site ${where(p)} is kept`));
  const offSite = p.offSite ?? (await chooseOffSite(room));
  const container =
    p.container ?? (await ask(room, "container", "number of the bag, or name of the safe"));
  const holders =
    p.holders ??
    holdersIn(
      await ask(room, "holders", "who holds it: ids of people, with spaces between", (answer) =>
        holdersProblem(room.custody, holdersIn(answer)),
      ),
    );
  return { site, offSite: offSite === "yes", container, holders };
}

function holdersIn(answer: string): readonly string[] {
  return answer.split(/[\s,]+/).filter((word) => word !== "");
}

function holdersProblem(custody: Custody, holders: readonly string[]): string | undefined {
  if (holders.length === 0) return "name one person at least";
  if (new Set(holders).size < holders.length) return "a person is named twice";
  const stranger = holders.find((person) => !custody.people.has(person));
  return stranger === undefined ? undefined : `${visible(stranger)} is not on the roster`;
}

async function ask(
  room: Room,
  id: string,
  text: string,
  more: (answer: string) => string | undefined = () => undefined,
): Promise<string> {
  const [first] = room.people.performers;
  const to = first === undefined ? EVERYONE : { person: first.person, name: first.card.name };
  const check = (answer: string): string | undefined =>
    line.safeParse(answer).success ? more(answer) : "one line of text, please";
  return room.console.ask({ id, to, text, check });
}

function chooseOffSite(room: Room): Promise<string> {
  return room.console.choose({
    id: "off-site",
    to: EVERYONE,
    text: "does it lie away from this site, where a fire here does not reach it?",
    choices: [
      { value: "yes", label: "yes, off site" },
      { value: "no", label: "no, on site" },
    ],
  });
}

function lines(p: Params, now: Whereabouts, before: Whereabouts | null): readonly string[] {
  return [
    `${where(p)}:`,
    ...(before === null ? [] : [`  before: ${placeText(before)}`]),
    `  now:    ${placeText(now)}`,
  ];
}

function placeText({ site, offSite, container, holders }: Whereabouts): string {
  const side = offSite ? "off site" : "on site";
  return `${visible(site)} (${side}), ${visible(container)}, held by ${holders.join(" and ")}`;
}
