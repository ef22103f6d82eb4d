/** `keyrite demo`: the whole story on software tokens. It runs the real commands and prints each. */

import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAnswers } from "../console/answers.ts";
import { KeyriteError } from "../lib/errors.ts";
import { makeFolders } from "../lib/files.ts";
import { fromUtf8 } from "../lib/encoding.ts";
import { profileNamed } from "../hsm/profiles.ts";
import { playDeviceLog } from "./demo-device.ts";
import { demoFolder, refuseProduction } from "./demo-folder.ts";
import { filesFromOutside } from "./demo-outside.ts";
import { growPeer, handOverPeer, type PeerParts } from "./demo-peer.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { packageRoot } from "./package-root.ts";
import { siteFolder } from "./site.ts";

export interface DemoOptions {
  readonly out?: string;
  readonly json?: boolean;
}

const PEOPLE: readonly { readonly id: string; readonly name: string; readonly role: string }[] = [
  { id: "ana", name: "Ana Alvarez", role: "ceremony-administrator" },
  { id: "ben", name: "Ben Becker", role: "custodian" },
  { id: "cleo", name: "Cleo Costa", role: "custodian" },
  { id: "dan", name: "Dan Dupont", role: "custodian" },
  { id: "eve", name: "Eve Eriksen", role: "internal-witness" },
];
const ORIGIN = "pki.example.org/demo/test";
/** The HSM of the CA keys, the backup HSM, and the one for drills. */
const TOKENS = ["alpha", "beta", "gamma"];
const VAULTS = ["onsite", "offsite"];
const MAIN_JOB = "generate-root-ca";

export function demo(names: readonly string[], options: DemoOptions): Promise<void> {
  refuseProduction([siteFolder(undefined), ".", options.out ?? "."]);
  const folder = demoFolder(options.out);
  new Demo(folder, options.json === true).perform(names.length === 0 ? [MAIN_JOB] : names);
  return Promise.resolve();
}

/** Options that a ceremony needs beside its answers. */
interface Prepared {
  /** Media that the site does not know yet. */
  readonly media?: readonly string[];
  /** Parameters that name files. */
  readonly files?: readonly string[];
}

class Demo {
  readonly #folder: string;
  readonly #ceremonies = join(packageRoot(), "ceremonies");

  /** Under --json everything but the one document is talk. */
  readonly #json: boolean;

  constructor(folder: string, json: boolean) {
    this.#folder = folder;
    this.#json = json;
  }

  perform(names: readonly string[]): void {
    this.#say(
      "Five people make an identity each, on a medium of their own. Passphrases come from a",
    );
    this.#say("published file, so these identities are of test assurance for ever.");
    for (const person of PEOPLE) this.#makeIdentity(person);
    this.#say("A site is made from the founders' public cards and a policy.");
    this.#makeSite();
    for (const ceremony of this.#inOrder(names)) {
      this.#say(`Ceremony ${ceremony}: first checked, then performed.`);
      this.#runCeremony(ceremony);
    }
    this.#show(names);
  }

  #say(text: string): void {
    this.#line(`# ${text}`);
  }

  #line(text: string): void {
    if (this.#json) tellLine(text);
    else printLine(text);
  }

  /** Ceremonies with all that must come before them, each once. */
  #inOrder(names: readonly string[]): readonly string[] {
    const order: string[] = [];
    const add = (name: string, above: readonly string[]): void => {
      if (order.includes(name)) return;
      const file = join(this.#ceremonies, name, "answers.yaml");
      if (!existsSync(file) || above.includes(name)) {
        throw new KeyriteError("usage.bad-option", `there is no shipped ceremony ${name}`, {
          hints: [`shipped: ${this.#shipped().join(", ")}`],
        });
      }
      for (const before of readAnswers(readFileSync(file), file).after)
        add(before, [...above, name]);
      order.push(name);
    };
    for (const name of names) add(name, []);
    return order;
  }

  #shipped(): readonly string[] {
    return readdirSync(this.#ceremonies).filter((name) =>
      existsSync(join(this.#ceremonies, name, "script.yaml")),
    );
  }

  #makeIdentity({ id, name }: (typeof PEOPLE)[number]): void {
    this.#keyrite(
      ["identity", "new", "--medium", this.#medium(id), "--person", id, "--name", name],
      ["--domain", "example.org", "--answers", join(this.#ceremonies, "people.yaml")],
    );
  }

  #makeSite(): void {
    const { usualPaths } = profileNamed("softhsm");
    const module = usualPaths.find((path) => existsSync(path));
    if (module === undefined) {
      throw new KeyriteError("hsm.module-unavailable", "SoftHSM is not installed", {
        hints: ["npm run setup installs it"],
      });
    }
    this.#keyrite(
      ["init", "--origin", ORIGIN],
      this.#founding(),
      ["--module", `soft=softhsm:${module}`],
      TOKENS.flatMap((name) => ["--token", `${name}=soft`]),
      VAULTS.flatMap((name) => ["--vault", `${name}=../vaults/${name}`]),
    );
    for (const name of VAULTS) makeFolders(join(this.#folder, "vaults", name));
  }

  /** Options of `init`: who founds a site, and under which rules. */
  #founding(): readonly string[] {
    return [
      ...["--policy", join(this.#ceremonies, "policy.yaml")],
      ...PEOPLE.flatMap(({ id, role }) => [
        ...["--founder", `${join(this.#medium(id), "keyrite", "card.json")}=${role}`],
        ...["--medium", `${id}=../media/${id}`],
      ]),
    ];
  }

  #runCeremony(name: string): void {
    const answers = join(this.#ceremonies, name, "answers.yaml");
    const set = [...readAnswers(readFileSync(answers), answers).set].flatMap(([key, value]) => [
      "--set",
      `${key}=${String(value)}`,
    ]);
    const { media = [], files = [] } = this.#prepare(name);
    this.#keyrite(["check", name], set, files);
    this.#keyrite(["run", name, "--answers", answers], media, files);
  }

  /** What some ceremonies find in place: a newcomer's medium, a policy to adopt, a file from outside. */
  #prepare(name: string): Prepared {
    if (name === "enroll-person") {
      this.#makeIdentity({ id: "fay", name: "Fay Fischer", role: "custodian" });
      return { media: ["--medium", `fay=${this.#medium("fay")}`] };
    }
    if (name === "change-policy") {
      const text = fromUtf8(readFileSync(join(this.#ceremonies, "policy.yaml")));
      const next = text.replace("minutes: 10", "minutes: 5");
      writeFileSync(join(this.#site(), "policy.next.yaml"), next);
    }
    if (name === "trust-site") {
      this.#say("Another site, of the same people, hands over its genesis and head.");
      handOverPeer({
        ...this.#peer("establish-site"),
        ...{ medium: this.#medium("eve"), founding: this.#founding() },
      });
    }
    if (name === "crosslink") {
      this.#say("The other site goes on, and asks for a cosignature on its newer head.");
      return { files: ["--set", `request=${growPeer(this.#peer("record-deviation"))}`] };
    }
    if (name === "attach-device-log") {
      this.#say("Software tokens keep no log of their own: one is written that fits the ledger.");
      return { files: ["--set", `log=${playDeviceLog(this.#site(), "alpha", this.#folder)}`] };
    }
    const outbox = join(this.#site(), "outbox");
    return { files: filesFromOutside(name, join(this.#folder, "outside"), outbox) };
  }

  #peer(ceremony: string): Pick<PeerParts, "folder" | "answers" | "keyrite"> {
    return {
      folder: this.#folder,
      answers: join(this.#ceremonies, ceremony, "answers.yaml"),
      keyrite: (...parts) => {
        this.#keyrite(...parts);
      },
    };
  }

  #show(names: readonly string[]): void {
    const certificate = this.#certificate();
    if (certificate !== undefined) {
      this.#say("The root certificate as openssl sees it.");
      const openssl = ["openssl", "verify", "-x509_strict", "-check_ss_sig"];
      this.#command([...openssl, "-CAfile", certificate, certificate]);
      this.#command(["openssl", "x509", "-noout", "-text", "-in", certificate]);
    }
    this.#say(
      "The ledger verifies from its bytes alone, anchored by the genesis, up to a head that",
    );
    this.#say("Eve carries on her medium.");
    const head = join(this.#medium("eve"), "heads", `${ORIGIN.replaceAll("/", "~")}.note`);
    this.#keyrite(
      ["verify", this.#site()],
      ["--trust", join(this.#site(), "trust.txt"), "--head", head],
    );
    this.#say(`Done: ${names.join(", ")}. Everything lies in ${this.#folder}`);
    this.#say("Try next:");
    this.#line(`    npx keyrite status --site ${this.#site()}`);
    this.#line(`    npx keyrite paper initialize-token --site ${this.#site()} --set token=alpha`);
    this.#line(
      `    sqlite3 ${join(this.#site(), "ledger.db")} "select body from entries" | head -3`,
    );
    this.#line("    then flip one byte of a copy of ledger.db and verify it again");
    if (!this.#json) return;
    printJson("demo", {
      folder: this.#folder,
      site: this.#site(),
      ceremonies: [...names],
      certificate: certificate ?? null,
    });
  }

  /** The first root certificate that a ceremony has written. */
  #certificate(): string | undefined {
    const outbox = join(this.#site(), "outbox");
    const files = readdirSync(outbox, { recursive: true, encoding: "utf8" }).toSorted();
    return files
      .filter((name) => name.endsWith(".der") && !name.endsWith(".csr.der"))
      .map((name) => join(outbox, name))
      .find((path) => isSelfIssued(readFileSync(path)))
      ?.replace(/der$/, "pem");
  }

  #site(): string {
    return join(this.#folder, "site");
  }

  #medium(person: string): string {
    return join(this.#folder, "media", person);
  }

  #keyrite(...parts: readonly (readonly string[])[]): void {
    this.#command(["keyrite", ...parts.flat()]);
  }

  /** Prints a command as it can be typed, runs it, and stops the demo when it fails. */
  #command(words: readonly string[]): void {
    this.#line(`\n$ ${words.map(quoted).join(" ")}`);
    const [program = "", ...rest] = words;
    const bin = join(packageRoot(), "bin", "keyrite.js");
    const [file, args] =
      program === "keyrite" ? [process.execPath, [bin, ...rest]] : [program, rest];
    const result = spawnSync(file, args, {
      stdio: ["ignore", this.#json ? process.stderr : "inherit", "inherit"],
      env: { ...process.env, KEYRITE_SITE: this.#site() },
    });
    if (result.status === 0) return;
    throw new KeyriteError(
      "internal.bug",
      `the demo stopped: ${program} exited ${result.status ?? "?"}`,
      {
        hints: [`what it made lies in ${this.#folder}`],
      },
    );
  }
}

function isSelfIssued(der: Uint8Array): boolean {
  const { subject, issuer } = new X509Certificate(der);
  return subject === issuer;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
