// Loaded before Keyrite: kills its process at a file of the outbox, KEYRITE_KILL_FILE, before it is there
// (KEYRITE_KILL_WHEN=open) or when it is whole and not yet durable (sync).
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const name = process.env["KEYRITE_KILL_FILE"] ?? "";
const when = process.env["KEYRITE_KILL_WHEN"];
const { openSync, fsyncSync } = fs;
let descriptor = -1;

fs.openSync = (path, flags, ...rest) => {
  const writes = typeof flags === "number" && (flags & fs.constants.O_WRONLY) !== 0;
  const meant = writes && name !== "" && String(path).endsWith(`/${name}`);
  if (meant && when === "open") process.kill(process.pid, "SIGKILL");
  const opened = openSync(path, flags, ...rest);
  if (meant) descriptor = opened;
  return opened;
};
fs.fsyncSync = (opened) => {
  if (opened === descriptor && when === "sync") process.kill(process.pid, "SIGKILL");
  fsyncSync(opened);
};
syncBuiltinESMExports();
