/** `keyrite hsm`: tokens, mechanisms and objects, without login. */

import type { Plan } from "../ceremony/plan.ts";
import { whyNotAllowed } from "../ceremony/token-room.ts";
import type { Hsm, KeyInfo, TokenInfo } from "../hsm/token.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { openHsm } from "./hosted.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { openSite, readSite, siteFolder, type OpenSite, type Site } from "./site.ts";

export interface HsmOptions {
  readonly site?: string;
  readonly json?: boolean;
}

async function withHsm<T>(act: (hsm: Hsm) => Promise<T>): Promise<T> {
  const hsm = openHsm(tellLine);
  try {
    return await act(hsm);
  } finally {
    await hsm.close();
  }
}

export async function hsmList(options: HsmOptions): Promise<void> {
  const site = readSite(siteFolder(options.site));
  const found = await withHsm(async (hsm) => {
    const all: { module: string; tokens: readonly TokenInfo[] }[] = [];
    for (const [name, module] of site.bindings.modules) {
      all.push({ module: name, tokens: await hsm.tokens(module) });
    }
    return all;
  });
  if (options.json === true) {
    printJson("hsm-list", {
      modules: found.map(({ module, tokens }) => ({ module, tokens: tokens.map(tokenJson) })),
    });
    return;
  }
  for (const { module, tokens } of found) {
    const path = site.bindings.modules.get(module)?.path ?? "";
    printLine(`Module ${module}  ${visible(path)}`);
    for (const token of tokens) {
      const label = token.initialized ? visible(token.label) : "(blank)";
      printLine(`  ${label}  serial ${visible(token.serial)}  ${visible(token.model)}`);
    }
  }
}

export async function hsmInspect(token: string, options: HsmOptions): Promise<void> {
  const site = openSite(siteFolder(options.site), { write: false });
  try {
    const { info, objects } = await withHsm(async (hsm) => {
      const { module, serial, label } = whichToken(site, token);
      const found = await hsm.find(module, serial, label);
      const visibleObjects = found.initialized
        ? await hsm.publicObjects(module, found.serial, found.label)
        : [];
      return { info: found, objects: visibleObjects };
    });
    if (options.json === true) {
      printJson("hsm-inspect", { token: tokenJson(info), objects: objects.map(objectJson) });
      return;
    }
    printToken(site, info, objects);
  } finally {
    site.ledger.close();
  }
}

/** A token that was looked at and may be used. */
export interface SeenToken extends JsonObject {
  readonly token: string;
  readonly model: string;
  readonly serial: string;
}

/** Looks at every token a plan names, for `check --tokens`. @throws KeyriteError hsm.* */
export async function inspectTokens(site: OpenSite, plan: Plan): Promise<readonly SeenToken[]> {
  const names = new Set<string>();
  for (const step of plan.steps) {
    const token = step.values["token"];
    if (typeof token === "string") names.add(token);
  }
  return withHsm(async (hsm) => {
    const seen: SeenToken[] = [];
    for (const name of names) {
      const { module, serial, label } = whichToken(site, name);
      const info = await hsm.find(module, serial, label);
      const reason = whyNotAllowed(info, site.policy, site.genesis.assurance);
      if (reason !== undefined) {
        throw new KeyriteError("hsm.not-allowed", `token ${name} may not be used here: ${reason}`, {
          hints: ["bind a token on the policy's list, or change the policy in a ceremony"],
        });
      }
      seen.push({ token: name, model: info.model, serial: info.serial });
    }
    return seen;
  });
}

function whichToken(
  site: OpenSite,
  token: string,
): {
  readonly module: Parameters<Hsm["find"]>[0];
  readonly serial: string;
  readonly label: string;
} {
  const binding = requireBinding(site, token);
  const bound = site.history.custody.tokens.get(token);
  return {
    module: binding.module,
    serial: bound?.serial ?? binding.serial,
    label: bound?.label ?? token,
  };
}

function requireBinding(
  site: Site,
  token: string,
): NonNullable<ReturnType<Site["bindings"]["tokens"]["get"]>> {
  const binding = site.bindings.tokens.get(token);
  if (binding !== undefined) return binding;
  throw new KeyriteError("usage.bad-option", `token ${token} has no binding in site.yaml`, {
    hints: [`bound there: ${[...site.bindings.tokens.keys()].join(", ")}`],
  });
}

function tokenJson(info: TokenInfo): JsonObject {
  const { pinWarnings, pinLength, algorithms, mechanisms, ...rest } = info;
  return {
    ...rest,
    pinWarnings: [...pinWarnings],
    pinLength: { ...pinLength },
    algorithms: [...algorithms],
    mechanisms: [...mechanisms],
  };
}

function objectJson(object: KeyInfo): JsonObject {
  return { ...object, attributes: { ...object.attributes } };
}

function printToken(site: Site, info: TokenInfo, objects: readonly KeyInfo[]): void {
  const reason = whyNotAllowed(info, site.policy, site.genesis.assurance);
  printLine(`Label         ${visible(info.label)}`);
  printLine(`Serial        ${visible(info.serial)}`);
  printLine(`Manufacturer  ${visible(info.manufacturer)}`);
  printLine(`Model         ${visible(info.model)}, firmware ${visible(info.firmware)}`);
  printLine(`Module        ${info.moduleDigest}`);
  printLine(`Policy        ${reason ?? "on the list"}`);
  printLine(`Algorithms    ${info.algorithms.join(", ")}`);
  printLine(`Mechanisms    ${info.mechanisms.length}`);
  for (const name of info.mechanisms) printLine(`  ${visible(name)}`);
  printLine(`Objects visible without login: ${objects.length}`);
  for (const object of objects) {
    printLine(`  ${object.objectClass}  ${visible(object.label)}  CKA_ID ${object.ckaId}`);
  }
}
