// Exchanges a module file, or the link that leads to it, as fast as it can: `node flipper.mjs KIND FOLDER`, until it is killed.
import { renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , kind = "", folder = ""] = process.argv;
/** @param {string[]} parts */
const at = (...parts) => join(folder, ...parts);
// The good one stays longer, so that some of the races are won by it.
/** @param {string} word */
const pause = (word) => {
  const most = word === "good" ? 120 : 12;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * most);
};

/** @type {Record<string, () => void>} */
const KINDS = {
  renamed() {
    for (const word of ["evil", "good"]) {
      writeFileSync(at("next"), `${word} module`, { mode: 0o600 });
      renameSync(at("next"), at("in", "module.so"));
      pause(word);
    }
  },
  written() {
    for (const word of ["evil", "good"]) {
      writeFileSync(at("in", "module.so"), `${word} module`);
      pause(word);
    }
  },
  linked() {
    for (const word of ["evil", "good"]) {
      symlinkSync(at(`${word}.so`), at("next"));
      renameSync(at("next"), at("in", "module.so"));
      pause(word);
    }
  },
};

process.stdout.write("flipping\n");
for (;;) KINDS[kind]?.();
