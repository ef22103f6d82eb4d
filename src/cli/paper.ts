/** `keyrite paper`: the printable script, from the same plan that runs. */

import { paperPage } from "../report/paper-html.ts";
import { paperScript } from "../report/paper.ts";
import { printJson, printLine } from "./output.ts";
import { readVaultOptions } from "./vaults.ts";
import { findScript, planOnSite, readSetOptions, requirePlan } from "./planning.ts";
import { openSite, siteFolder } from "./site.ts";

export interface PaperOptions {
  readonly site?: string;
  readonly set: readonly string[];
  readonly vault: readonly string[];
  readonly html?: boolean;
  readonly json?: boolean;
}

export async function paper(name: string, options: PaperOptions): Promise<void> {
  const file = findScript(name);
  const site = openSite(siteFolder(options.site), { write: false });
  try {
    const plan = requirePlan(
      await planOnSite(site, file, readSetOptions(options.set), [
        ...readVaultOptions(options.vault).keys(),
      ]),
      file,
    );
    const { genesis } = site;
    if (options.json === true) {
      const [markdown, html] = [paperScript(plan, genesis), paperPage(plan, genesis)];
      printJson("paper", { plan: plan.sha256, markdown, html });
    } else printLine(options.html === true ? paperPage(plan, genesis) : paperScript(plan, genesis));
  } finally {
    site.ledger.close();
  }
}
