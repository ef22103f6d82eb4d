/** SoftHSM behind a module that breaks, lies or kills by rule: see shim-module.c for what a rule may say. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compiled } from "./compiled.ts";
import { newFolder, type TestModule } from "./rehearsed-site.ts";
import { installedModule } from "./rig.ts";

/** What a rule does to a call that it matches. */
export type ShimAction =
  /** The call is not made and returns the code, a hexadecimal number. */
  | `before:${string}`
  /** The call is made and returns the code all the same: the reply is lost. */
  | `after:${string}`
  /** SIGKILL without making the call: of both processes as when a machine stops, the module's own, or its parent. */
  | `kill-before${"" | ":both" | ":own" | ":parent"}`
  /** SIGKILL when the call has been made. */
  | `kill-after${"" | ":both" | ":own" | ":parent"}`
  /** The module's process dies of a fault in its memory. */
  | "crash-before"
  | "crash-after"
  /** The module ends its process with this exit code. */
  | `exit-before:${number}`
  /** No answer for so many milliseconds, or never; the call is made behind that. */
  | `hang-before${"" | `:${number}`}`
  /** The call is made; its answer comes so much later, or never. */
  | `hang-after${"" | `:${number}`}`
  /** From here on every call returns the code, CKR_DEVICE_REMOVED without one. */
  | `gone${"" | `:${string}`}`
  /** All objects have other handles from here on, and the old ones mean others; with a code the call returns it. */
  | `renumber${"" | `:${string}`}`
  /** `TYPE[/CLASS]=HEX`: other bytes of an attribute; `!` turns its lowest bit over, `-`: there is none such. */
  | `attribute:${string}=${string}`
  /** The public point or modulus: these bytes, or one bit in its middle turned over. */
  | `public-key${"" | `:${string}`}`
  /** A signature, a wrapped key, random bytes: one bit turned over, one byte less, or these bytes. */
  | `output${"" | ":flip" | ":short" | `:${string}`}`
  /** `[LABEL>]SERIAL[/LABEL]`: another token in place of all, or of the one with that label. */
  | `token:${string}`
  /** `[LABEL>]WORD`: what C_GetTokenInfo says of a PIN. */
  | `flags:${string}`
  /** Both PINs lock after so many wrong ones, over all processes until `forgetTries`. For `*`, every time. */
  | `pin-tries:${number}`
  /** The user's PIN is kept at each login, for `pinOf`. For `*`, every time. */
  | "keep-pins"
  /** The call is made twice; the second answer is given. */
  | "twice"
  | `print:${string}`
  /** The module leaves a child process behind for so many milliseconds. */
  | `fork:${number}`
  /** The module installs handlers for signals. */
  | "signals"
  /** Makes this file. */
  | `mark:${string}`;

/** Which of the calls that match: `"3+"` is the third and all behind it. */
export type Nth = number | `${number}+` | "*";

/** One rule; `/token` or `/session` behind a function means objects that stay on the token, or pass. */
export function rule(called: string, nth: Nth, action: ShimAction): string {
  return `${called}:${nth}:${action}`;
}

/** A rule that took effect. */
export interface Fired {
  readonly call: string;
  readonly nth: number;
  readonly action: string;
}

/** Calls that change a token or cost a try at a PIN: what must not happen where something was refused. */
export const ACTS: ReadonlySet<string> = new Set([
  ...["C_InitToken", "C_InitPIN", "C_SetPIN", "C_Login", "C_CreateObject", "C_CopyObject"],
  ...["C_DestroyObject", "C_SetAttributeValue", "C_GenerateKey", "C_GenerateKeyPair"],
  ...["C_UnwrapKey", "C_DeriveKey"],
]);

export class ShimModule implements TestModule {
  readonly path = compiled("shim-module");
  readonly #folder = newFolder();
  readonly #log = join(this.#folder, "calls");
  readonly #fired = join(this.#folder, "fired");

  /** What it reads: site.yaml must hand these on. */
  readonly variables = ["REAL", "RULES", "LOG", "FIRED", "STATE"].map(
    (name) => `KEYRITE_SHIM_${name}`,
  );

  readonly env: NodeJS.ProcessEnv = {
    KEYRITE_SHIM_REAL: installedModule("softhsm"),
    KEYRITE_SHIM_LOG: this.#log,
    KEYRITE_SHIM_FIRED: this.#fired,
    KEYRITE_SHIM_STATE: this.#folder,
  };

  /** The environment of a run that these rules are for, besides `env`. */
  with(...rules: readonly string[]): { readonly KEYRITE_SHIM_RULES: string } {
    return { KEYRITE_SHIM_RULES: rules.join("\n") };
  }

  /** Names of all calls since the last time this or `acts` was asked, in order. */
  calls(): readonly string[] {
    return taken(this.#log);
  }

  /** Of those the ones that change a token or try a PIN. */
  acts(): readonly string[] {
    return this.calls().filter((name) => ACTS.has(name));
  }

  /** Rules that took effect since the last time this was asked: a test of a fault asserts that it happened. */
  fired(): readonly Fired[] {
    const fired = firedIn(this.#fired);
    rmSync(this.#fired, { force: true });
    return fired;
  }

  /** Asserts that a rule took effect since this or `fired` was last asked. */
  assertFired(about = ""): void {
    assert.ok(this.fired().length > 0, `no rule took effect ${about}`);
  }

  /** The PIN that `keep-pins` saw at the newest login to a token; undefined when there was none. */
  pinOf(serial: string): Buffer | undefined {
    const path = join(this.#folder, `${serial}.pin`);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  /** Has the tokens forget how often a PIN was wrong. */
  forgetTries(serial: string): void {
    for (const user of ["so", "user"])
      rmSync(join(this.#folder, `${serial}.${user}`), { force: true });
  }
}

/** The lines of a file that the shim writes; none when it has not. */
export function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}

/** Rules that took effect, by the file that KEYRITE_SHIM_FIRED names. */
export function firedIn(path: string): readonly Fired[] {
  return linesOf(path).map((line) => {
    const [call = "", nth = "", action = ""] = line.split(" ");
    return { call, nth: Number(nth), action };
  });
}

function taken(path: string): readonly string[] {
  const lines = linesOf(path);
  rmSync(path, { force: true });
  return lines;
}
