/** `keyrite status`: what the site holds now, what is open, due or in doubt. */

import { certificatesStatus } from "../ceremony/certificate-status.ts";
import { concerns } from "../ceremony/concerns.ts";
import { custodyJson } from "../ceremony/custody-json.ts";
import { standsAt } from "../ceremony/finding.ts";
import type { CeremonyRecord, StepInDoubt } from "../ceremony/history.ts";
import { keyStatuses } from "../ceremony/key-status.ts";
import { hex } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { printJson, printLine } from "./output.ts";
import { openToLookAt, siteFolder, type SiteToLookAt } from "./site.ts";
import { statusLines, type StatusView } from "./status-lines.ts";
import { systemClock } from "./system.ts";

export interface StatusOptions {
  readonly site?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  /** False: the whole ledger is folded, whatever was kept of it. */
  readonly cache?: boolean;
}

export function status(options: StatusOptions): Promise<void> {
  const site = openToLookAt(siteFolder(options.site), options.cache === false);
  try {
    const { history } = site;
    const keys = keyStatuses(history.custody, site.policy, systemClock.now());
    const certificates = certificatesStatus(history.custody, systemClock.now());
    const view = {
      keys,
      certificates,
      concerns: concerns(history, keys, certificates, systemClock.now()),
      all: options.all === true,
    };
    if (options.json === true) printJson("status", statusJson(site, view));
    else for (const line of statusLines(site, view)) printLine(line);
  } finally {
    site.ledger.close();
  }
  return Promise.resolve();
}

function statusJson({ history, genesis, ledger }: SiteToLookAt, view: StatusView): JsonObject {
  return {
    origin: genesis.origin,
    assurance: genesis.assurance,
    size: history.size,
    root: hex(ledger.root()),
    cosigned: history.cosigned,
    open: history.open === null ? null : openJson(history.open),
    inDoubt: history.open?.doubt == null ? null : doubtJson(history.open.doubt),
    ceremonies: history.ceremonies.map(({ id, script, version, state, openedAt, closedAt }) => ({
      id,
      script,
      version,
      state,
      openedAt,
      closedAt,
    })),
    keys: view.keys,
    certificates: view.certificates.certificates,
    crls: view.certificates.crls,
    custody: custodyJson(history.custody),
    concerns: view.concerns,
  };
}

function openJson(open: CeremonyRecord): JsonObject {
  const { id, title, unsettled } = open;
  const { n, id: step, since } = standsAt(open);
  return { id, title, paused: unsettled.size === 0, n, step, since };
}

function doubtJson({ n, id, action, begunSeq, time, intent }: StepInDoubt): JsonObject {
  return { n, id, action, begunSeq, time, intent };
}
