/**
 * Records another site's newer head here, proved to extend the one adopted before: whoever rewrites that
 * site's ledger would have to rewrite this one too.
 */

import { defineAction, type Room, type Subject } from "../ceremony/action.ts";
import { condition, type Condition } from "../ceremony/conditions.ts";
import type { PeerCustody } from "../ceremony/custody-copies.ts";
import type { FactOf } from "../ceremony/facts.ts";
import { originSchema } from "../ceremony/genesis.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { digest } from "../ceremony/words.ts";
import { judgeRequest, parseRequest } from "../ledger/witness.ts";
import { fromHex, fromUtf8, hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { z } from "../lib/schema.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () => z.strictObject({ origin: originSchema, request: digest });
type Params = z.infer<ReturnType<typeof params>>;

interface Linked extends JsonObject {
  readonly origin: string;
  readonly genesis: string;
  readonly ledgerKey: string;
  readonly checkpoint: string;
  readonly size: number;
  readonly root: string;
  /** Size of the head that was adopted before, from which the proof leads. */
  readonly before: number;
}

export const crosslink = defineAction<Params, Linked, Linked>({
  name: "crosslink",
  control: "dual",
  params,
  facts: ["site.trusted"],
  instruction: (p) =>
    `Record the newer head of ${p.origin}, proved to extend the one that is recorded here.`,
  requires: (p) => [siteIsTrusted(p.origin)],
  forecast: (p, custody) => {
    const { size: before, ...known } = custody.peers.get(p.origin) ?? UNKNOWN;
    return { ...known, size: before, before };
  },
  establishes: (_, evidence) => [factOf(evidence)],
  admits: (p, subject, fact) => {
    if (fact.kind !== "site.trusted" || fact.origin !== p.origin) return false;
    const agreed = factOf(subject);
    return (Object.keys(agreed) as (keyof typeof agreed)[]).every(
      (name) => fact[name] === agreed[name],
    );
  },
  subject: (p, room) => Promise.resolve(judged(p, room)),
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("Recording a head changes nothing but the ledger."),
});

const UNKNOWN: PeerCustody = {
  ...{ origin: "", genesis: "", ledgerKey: "", checkpoint: "", size: 1, root: "" },
};

function siteIsTrusted(origin: string): Condition {
  return condition(
    "origin",
    ({ custody }) =>
      !custody.peers.has(origin) &&
      `the site ${origin} is not adopted by then: run trust-site first`,
  );
}

function factOf(linked: Linked): FactOf<"site.trusted"> {
  const { origin, genesis, ledgerKey, checkpoint, size, root } = linked;
  return { kind: "site.trusted", origin, genesis, ledgerKey, checkpoint, size, root };
}

function judged(p: Params, room: Room): Subject<Linked> {
  const peer = room.custody.peers.get(p.origin);
  const bytes = room.attachment(p.request);
  if (peer === undefined || bytes === undefined) {
    throw new KeyriteError("script.refused", `the site ${p.origin} or its request is not here`);
  }
  const request = parseRequest(fromUtf8(bytes));
  const seen = { origin: p.origin, size: peer.size, root: fromHex(peer.root) ?? new Uint8Array() };
  const { size, root } = judgeRequest(request, seen, parseVerifierKey(peer.ledgerKey));
  if (size === peer.size) {
    throw new KeyriteError(
      "usage.refused",
      `the head of ${p.origin}, size ${size}, is recorded already`,
      {
        hints: ["ask that site for a request on its newest head"],
      },
    );
  }
  return {
    data: {
      ...{ origin: p.origin, genesis: peer.genesis, ledgerKey: peer.ledgerKey },
      checkpoint: room.attach("text/plain", utf8(request.checkpoint)),
      ...{ size, root: hex(root), before: peer.size },
    },
    shown: [
      `The ledger of ${p.origin} grew from ${peer.size} to ${size} entries; nothing before was changed.`,
      ...digestLines(`Head of ${p.origin}, size ${size}`, hex(root)),
    ],
  };
}
