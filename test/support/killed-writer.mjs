// Dies in the middle of a transaction whose first pages have reached the ledger file already.
import Sqlite from "better-sqlite3";

const db = new Sqlite(process.argv[2]);
db.pragma("journal_mode = TRUNCATE");
db.pragma("synchronous = EXTRA");
db.pragma("cache_size = 1");
db.exec("BEGIN IMMEDIATE");
const next = Number(db.prepare("SELECT max(seq) + 1 FROM entries").pluck().get());
const insert = db.prepare("INSERT INTO entries (seq, body) VALUES (?, ?)");
for (let seq = next; seq < next + 200; seq += 1) insert.run(seq, "x".repeat(2000));
process.kill(process.pid, "SIGKILL");
