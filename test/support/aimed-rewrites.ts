/** Ledgers that whoever has the ledger's key writes anew, in whole: people's signatures are all they lack. */

import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { encodeEntry, type Entry } from "../../src/ledger/entry.ts";
import { completeNodes, Frontier, leafHash } from "../../src/ledger/merkle.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { cited, lastOf, type Aimed, type AimedAt } from "./aimed-mutations.ts";

/** Writes entries with nodes and checkpoints as the owner of the ledger's key can: all of it fits together. */
function rewrite({ db, key, origin }: AimedAt, entries: readonly Entry[]): void {
  db.exec("DELETE FROM entries; DELETE FROM nodes; DELETE FROM checkpoints");
  const frontier = new Frontier();
  entries.forEach((entry, seq) => {
    const body = encodeEntry({ ...entry, seq });
    db.prepare("INSERT INTO entries (seq, body) VALUES (?, ?)").run(seq, body);
    let pos = completeNodes(seq);
    for (const node of frontier.append(leafHash(body))) {
      db.prepare("INSERT INTO nodes (pos, hash) VALUES (?, ?)").run(pos, node);
      pos += 1;
    }
    const note = signCheckpoint({ origin, size: seq + 1, root: frontier.root() }, key);
    db.prepare("INSERT INTO checkpoints (size, note) VALUES (?, ?)").run(seq + 1, note);
  });
  db.prepare("DELETE FROM cosignatures WHERE size > ?").run(entries.length);
}

/** Rewrites everything with one entry changed. */
const forge =
  (choose: (entries: readonly Entry[]) => Entry, change: (entry: Entry) => Partial<Entry>) =>
  (at: AimedAt): void => {
    const chosen = choose(at.entries);
    rewrite(
      at,
      at.entries.map((entry) => (entry === chosen ? { ...entry, ...change(entry) } : entry)),
    );
  };

const last = (type: Entry["type"]) => (entries: readonly Entry[]) => lastOf(entries, type);

const begunByTwo = (entries: readonly Entry[]): Entry => {
  const found = entries.findLast(
    ({ type, agreements }) => type === "step.begun" && agreements.length === 2,
  );
  if (found === undefined) throw new Error("no step was begun by two");
  return found;
};

const data = (change: JsonObject) => (entry: Entry) => ({ data: { ...entry.data, ...change } });

/** Q11: the owner of the ledger's key writes all of it anew; people's signatures they do not have. */
export const REWRITTEN: readonly Aimed[] = [
  {
    name: "an agreement taken out",
    change: forge(begunByTwo, ({ agreements }) => ({ agreements: agreements.slice(0, 1) })),
    says: /^authority \d+/,
  },
  {
    name: "one agreement twice in the place of two",
    change: forge(begunByTwo, ({ agreements: [one = ""] }) => ({ agreements: [one, one] })),
    says: /^authority \d+/,
  },
  {
    name: "agreements of another step replayed",
    change: (at: AimedAt): void => {
      const from = at.entries.find(
        ({ agreements, type }) => type === "step.begun" && agreements.length === 2,
      );
      forge(begunByTwo, () => ({ agreements: from?.agreements ?? [] }))(at);
    },
    says: /^authority \d+ .*another/,
  },
  {
    name: "agreements of the same step of another ceremony",
    change: (at: AimedAt): void => {
      const clocks = at.entries.filter(
        ({ type, step }) => type === "step.begun" && step === "clock",
      );
      const [from, to] = [clocks.at(-2), clocks.at(-1)];
      forge(
        () => to ?? begunByTwo(at.entries),
        () => ({ agreements: from?.agreements ?? [] }),
      )(at);
    },
    says: /^authority \d+ .*for another ceremony/,
  },
  {
    name: "a policy adopted by the way",
    change: forge(
      (entries) => lastOf(entries, "step.completed"),
      (entry) => ({ facts: [...entry.facts, { kind: "policy.adopted", sha256: "0".repeat(64) }] }),
    ),
    says: /^authority \d+ .*policy\.adopted/,
  },
  {
    name: "a script whose digest begins like the one that was approved",
    change: (at: AimedAt): void => {
      const script = cited(at.entries, "script");
      const other = script.slice(0, -1) + (script.endsWith("0") ? "1" : "0");
      forge(last("ceremony.opened"), data({ script: other }))(at);
    },
    says: /it states another script than its plan/,
  },
  {
    name: "an end that is earlier than what it ends",
    change: forge(last("ceremony.closed"), () => ({ time: "2020-01-01T00:00:00.000Z" })),
    says: /^entry\.time \d+/,
  },
  {
    name: "another plan than people agreed to",
    change: forge(last("ceremony.opened"), (entry) =>
      data({ plan: cited([entry], "script") })(entry),
    ),
    says: /^(attachment|authority|order) \d+/,
  },
  {
    name: "another script in the opening",
    change: forge(last("ceremony.opened"), (entry) =>
      data({ script: cited([entry], "bindings") })(entry),
    ),
    says: /it states another script than its plan/,
  },
  {
    name: "another custody at the close",
    change: forge(last("ceremony.closed"), data({ custody: "0".repeat(64) })),
    says: /^custody \d+ .*the custody it states/,
  },
  {
    name: "another fact of a key",
    change: forge(
      (entries) =>
        entries.find(({ facts }) => facts[0]?.kind === "key.generated") ??
        lastOf(entries, "step.completed"),
      ({ facts }) => ({ facts: facts.map((fact) => ({ ...fact, label: "root-g9" })) }),
    ),
    says: /^authority \d+ .*key\.generated is not what people agreed to/,
  },
  {
    name: "a step taken out, all of it",
    change: (at: AimedAt): void => {
      const { step, ceremony } = begunByTwo(at.entries);
      rewrite(
        at,
        at.entries.filter((one) => one.step !== step || one.ceremony !== ceremony),
      );
    },
    says: /was not performed, but the ceremony was closed|another head of the ledger/,
  },
  {
    name: "another reason in a statement",
    change: forge(last("step.completed"), (entry) =>
      data({ evidence: { statement: "It was not so" } })(entry),
    ),
    says: /^head - .*differs from this head/,
    onlyWithHead: true,
  },
  {
    name: "the last ceremony cut off",
    change: (at: AimedAt): void => {
      rewrite(at, at.entries.slice(0, lastOf(at.entries, "ceremony.opened").seq));
    },
    says: /^head - .*shorter than this head/,
    onlyWithHead: true,
  },
  {
    name: "the end of the last ceremony cut off",
    change: (at: AimedAt): void => {
      rewrite(at, at.entries.slice(0, -2));
    },
    says: /^head - .*shorter than this head/,
    onlyWithHead: true,
  },
];
