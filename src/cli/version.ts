/** The version of this build, put in by the bundler. */

declare const KEYRITE_VERSION: string | undefined;

/** The version in package.json; run from sources, without a build, it says so. */
export const VERSION = typeof KEYRITE_VERSION === "string" ? KEYRITE_VERSION : "0.0.0-sources";
