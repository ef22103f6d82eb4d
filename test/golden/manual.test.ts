/** The manuals are true today: what they quote, name, link to and list is what the sources hold. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { EXIT } from "../../src/lib/errors.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { actionsTable } from "../support/actions-table.ts";
import { assertQuoted, blockOf } from "../support/manual.ts";
import { BIN, CEREMONIES, cleanEnvironment, ROOT } from "../support/rehearsed-site.ts";

const shipped = readdirSync(CEREMONIES).filter((name) =>
  existsSync(join(CEREMONIES, name, "script.yaml")),
);
const PAGES = [
  "README.md",
  "CEREMONY.md",
  ...shipped.map((name) => `ceremonies/${name}/README.md`),
];

function page(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

test("the script reference is the vocabulary of the sources", () => {
  const update = "run: node --import tsx test/support/actions-table.ts";
  assert.equal(blockOf("CEREMONY.md", "generated", "actions"), actionsTable(), update);
});

/** The rows of the table whose header begins with these words. */
function rowsOf(text: string, header: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => line.startsWith(`| ${header} |`));
  assert.ok(begin >= 0, `there is a table of ${header}`);
  const end = lines.findIndex((line, i) => i > begin && !line.startsWith("|"));
  return lines.slice(begin + 2, end).map((line) => line.split("|").map((cell) => cell.trim()));
}

function sources(): string {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const texts = files.filter((name) => name.endsWith(".ts")).map((name) => page(join("src", name)));
  // Messages are written over several lines where they are long.
  return texts.join("\n").replace(/` \+\s+`/g, "");
}

test("every message in the table of what goes wrong is one that Keyrite says", () => {
  const said = sources();
  const messages = rowsOf(page("CEREMONY.md"), "you see").flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, message = ""]) => message),
  );
  assert.ok(messages.length > 20);
  for (const message of messages) {
    const pattern = message
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("\\$\\{[^}`]+\\}");
    assert.ok(new RegExp(pattern).test(said), `nothing in src/ says: ${message}`);
  }
});

test("the exit codes are those of the sources", () => {
  const listed = rowsOf(page("CEREMONY.md"), "exit").flatMap(([, exit = "", , words = ""]) =>
    [...words.matchAll(/`([a-z]+)`/g)].map(([, word = ""]) => [word, Number(exit)] as const),
  );
  assert.deepEqual(Object.fromEntries(listed), EXIT);
});

/** The anchor of a heading, as code hosts make it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
}

test("every link leads to a file, and every anchor to a heading", () => {
  for (const name of PAGES) {
    for (const [, target = ""] of page(name).matchAll(/\]\(([^)]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? name : join(dirname(name), path);
      assert.ok(existsSync(join(ROOT, file)), `${name} links to ${target}`);
      if (anchor === undefined) continue;
      const headings = [...page(file).matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) =>
        anchorOf(text),
      );
      assert.ok(headings.includes(anchor), `${name} links to ${target}`);
    }
  }
});

test("every command and option that a manual types exists", () => {
  const commands = new Map(
    buildProgram().commands.flatMap((command) => [
      [command.name(), command] as const,
      ...command.commands.map((sub) => [`${command.name()} ${sub.name()}`, sub] as const),
    ]),
  );
  let typed = 0;
  for (const name of PAGES) {
    const text = page(name).replaceAll("\\\n", " ");
    for (const [, line = ""] of text.matchAll(/(?:keyrite|keyrite\.js) ([a-z][^\n`|>]*)/g)) {
      const [first = "", second = ""] = line.split(/\s+/);
      const command = commands.get(`${first} ${second}`) ?? commands.get(first);
      // Prose that merely names the program goes on with other words.
      if (command === undefined) {
        assert.doesNotMatch(line, /--/, `${name}: keyrite ${line}`);
        continue;
      }
      typed += 1;
      const options = command.options.flatMap(({ long }) => long ?? []);
      for (const [, option = ""] of line.matchAll(/(?:^| )(--[a-z-]+)/g)) {
        assert.ok(options.includes(option), `${name}: keyrite ${line}`);
      }
    }
  }
  assert.ok(typed > 30);
});

test("every shipped ceremony has a page that says how to perform and to rehearse it", () => {
  for (const name of shipped) {
    const text = page(`ceremonies/${name}/README.md`);
    assert.match(text, new RegExp(`^# ${name}\n`));
    assert.match(text, new RegExp(`keyrite run ${name}[ \`]`));
    assert.match(text, new RegExp(`--answers ceremonies/${name}/answers.yaml`));
    assert.match(page("README.md"), new RegExp(`\`${name}\``));
  }
});

test("what README and CEREMONY.md quote of the demo and a drill is what they show", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-readme-"));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  // The drill is performed after all that the demo performs by itself; one stream keeps their order.
  const demo = spawnSync(
    "sh",
    ["-c", '"$0" "$1" demo restore-drill --out "$2" 2>&1', process.execPath, BIN, folder],
    {
      encoding: "utf8",
      env: cleanEnvironment(),
    },
  );
  assert.equal(demo.status, 0, demo.stdout);
  assertQuoted("README.md", blockOf("README.md", "shown", "demo"), demo.stdout);
  assertQuoted("CEREMONY.md", blockOf("CEREMONY.md", "rehearsed", "drill"), demo.stdout);
  assert.throws(() => {
    assertQuoted("README.md", "Verdict: DOES NOT CONFORM", demo.stdout);
  });
});
