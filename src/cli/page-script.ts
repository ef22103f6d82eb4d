/** The script that a report page checks itself with, put in by the bundler. */

declare const KEYRITE_PAGE_SCRIPT: string | undefined;

/** JavaScript for a browser; empty when run from sources, without a build. */
export const PAGE_SCRIPT = typeof KEYRITE_PAGE_SCRIPT === "string" ? KEYRITE_PAGE_SCRIPT : "";
