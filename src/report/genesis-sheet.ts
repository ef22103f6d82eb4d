/** The genesis sheet: printed, signed in ink by founders and a witness; an auditor's trust starts here. */

import { digestLines } from "../ceremony/spoken.ts";
import type { Genesis } from "../ceremony/genesis.ts";
import { sha256Hex, visible } from "../lib/encoding.ts";
import { cardDigest } from "../people/card.ts";

/** Plain text of at most 78 columns, ready to print. */
export function genesisSheet(genesis: Genesis): string {
  const lines = [
    "GENESIS SHEET",
    "",
    `Origin      ${genesis.origin}`,
    `Assurance   ${genesis.assurance}${genesis.assurance === "test" ? "  (TEST: never for production keys)" : ""}`,
    `Created     ${genesis.created}`,
    "",
    ...digestLines("Genesis, SHA-256 of genesis.json", genesis.sha256),
    "",
    ...digestLines("Policy, SHA-256 of policy.yaml", genesis.policy),
    "",
    ...digestLines("Ledger key, SHA-256 of its verifier key", sha256Hex(genesis.ledgerKey)),
    "",
    "Founders",
  ];
  for (const { person, roles, card } of genesis.founders) {
    lines.push("", `${visible(card.name)} (${person}): ${roles.join(", ")}`);
    lines.push(...digestLines("Card, SHA-256", cardDigest(card)));
    lines.push("Signature ________________________________   Date ____________");
  }
  lines.push("", "Witness", "", "Name      ________________________________");
  lines.push("Signature ________________________________   Date ____________", "");
  return lines.join("\n");
}
