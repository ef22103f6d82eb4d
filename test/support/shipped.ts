/** Every shipped ceremony at one site, each in its place, with all that it finds there. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { playDeviceLog } from "../../src/cli/demo-device.ts";
import { filesFromOutside } from "../../src/cli/demo-outside.ts";
import { growPeer, handOverPeer } from "./peer-site.ts";
import { CEREMONIES, shippedAnswers, succeeded, type RehearsedSite } from "./rehearsed-site.ts";

/** These ceremonies, or all that ship, each behind all that its answers name under `after`. */
export function shippedInOrder(wanted: readonly string[] = shipped()): readonly string[] {
  const order: string[] = [];
  const add = (name: string): void => {
    if (order.includes(name)) return;
    shippedAnswers(name).after.forEach(add);
    order.push(name);
  };
  wanted.forEach(add);
  return order;
}

function shipped(): readonly string[] {
  return readdirSync(CEREMONIES).filter((name) =>
    existsSync(join(CEREMONIES, name, "script.yaml")),
  );
}

/**
 * Puts in place what a ceremony finds besides the site – a newcomer's medium, a policy to adopt, a file from
 * outside – and returns the options that its rehearsal is told besides its answers.
 */
export function preparedFor(site: RehearsedSite, ceremony: string): readonly string[] {
  switch (ceremony) {
    case "enroll-person":
      succeeded(site.makeIdentity("fay", "Fay Fischer"));
      return ["--medium", `fay=${site.medium("fay")}`];
    case "trust-site":
      handOverPeer(site);
      return [];
    case "change-policy": {
      const policy = readFileSync(site.file("policy.yaml"), "utf8");
      writeFileSync(site.file("policy.next.yaml"), policy.replace("minutes: 10", "minutes: 7"));
      return [];
    }
    case "crosslink":
      return ["--set", `request=${growPeer(site)}`];
    case "attach-device-log":
      return ["--set", `log=${playDeviceLog(site.file("."), "alpha", site.folder)}`];
    default:
      return filesFromOutside(ceremony, join(site.folder, "outside"), site.file("outbox"));
  }
}
