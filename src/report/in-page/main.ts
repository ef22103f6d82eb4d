/** Where the page's script begins: read what the page carries, compute it again, say what came of it. */

import { checkPage } from "./check.ts";
import { chooseCrypto } from "./crypto.ts";
import type { PageWindow } from "./dom.ts";
import type { Evidence } from "./evidence.ts";
import { showFindings, shownValues, voidVerdict } from "./show.ts";

async function run({ document, crypto }: PageWindow): Promise<void> {
  const panel = document.getElementById("self-check");
  if (panel === null) return;
  try {
    const text = document.getElementById("carried")?.textContent ?? "";
    const evidence = JSON.parse(text) as Evidence;
    const shown = shownValues(document);
    showFindings(
      document,
      panel,
      await checkPage(await chooseCrypto(crypto?.subtle), evidence, shown),
    );
  } catch (error) {
    // Whatever was done to the data, the page must not look as if it had been checked.
    document.documentElement.setAttribute("data-self-check", "broken");
    voidVerdict(document);
    panel.className = "panel self bad-panel";
    panel.textContent = `This page could not check itself: what it carries is damaged (${String(error)}).`;
  }
}

void run(globalThis as unknown as PageWindow);
