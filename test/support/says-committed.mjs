// Loaded before Keyrite, under disk-recorder: says in the record that a transaction has been reported as
// committed. From here on Keyrite counts on it; the disk's own calls are no measure for that.
import fs from "node:fs";
import Sqlite from "better-sqlite3";

const db = new Sqlite(":memory:");
/** @type {unknown} */
const statements = Object.getPrototypeOf(db.prepare("SELECT 1"));
db.close();
if (typeof statements !== "object" || statements === null) throw new Error("it has a prototype");

/** @type {unknown} */
const run = Reflect.get(statements, "run");
if (typeof run !== "function") throw new Error("a statement runs");
Reflect.set(
  statements,
  "run",
  /**
   * @this {import("better-sqlite3").Statement}
   * @param {readonly unknown[]} values
   * @returns {unknown}
   */
  function (...values) {
    /** @type {unknown} */
    const done = Reflect.apply(run, this, values);
    if (this.source === "COMMIT") fs.existsSync("/keyrite-says/committed");
    return done;
  },
);
