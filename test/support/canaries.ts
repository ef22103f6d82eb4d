/** Looking for secrets where none may be: every form a secret may have taken, in every place. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

interface Form {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Raw, hex, Base64 in both alphabets at every alignment, reversed, and each of the texts as UTF-16. */
export function formsOf(secret: string, bytes: Uint8Array): readonly Form[] {
  const raw = Buffer.from(bytes);
  const texts: [string, string][] = [
    ["hex", raw.toString("hex")],
    ["HEX", raw.toString("hex").toUpperCase()],
  ];
  for (let shift = 0; shift < 3; shift += 1) {
    // Characters that also hold bits of neighbouring bytes are left out at both ends.
    const shifted = Buffer.concat([Buffer.alloc(shift), raw]);
    const whole = shifted.subarray(0, shifted.length - (shifted.length % 3));
    const text = whole.toString("base64").slice(shift === 0 ? 0 : shift + 1);
    texts.push([`Base64 at ${shift}`, text]);
    texts.push([`Base64url at ${shift}`, text.replaceAll("+", "-").replaceAll("/", "_")]);
  }
  const forms: Form[] = [
    { name: "raw", bytes: raw },
    { name: "reversed", bytes: Buffer.from(raw).reverse() },
    { name: "raw as UTF-16", bytes: Buffer.from(raw.toString("latin1"), "utf16le") },
  ];
  for (const [name, text] of texts) {
    forms.push({ name, bytes: Buffer.from(text) });
    forms.push({ name: `${name} as UTF-16`, bytes: Buffer.from(text, "utf16le") });
  }
  return forms.map((form) => ({ name: `${secret} (${form.name})`, bytes: form.bytes }));
}

/** Which secrets stand in which places, as `secret (form) in place`. */
export function hits(
  secrets: ReadonlyMap<string, Uint8Array>,
  places: readonly Place[],
): readonly string[] {
  const forms = [...secrets].flatMap(([name, bytes]) => formsOf(name, bytes));
  return places.flatMap((place) =>
    forms
      .filter((form) => place.bytes.includes(form.bytes))
      .map((form) => `${form.name} in ${place.name}`),
  );
}

/** Every regular file below a folder, and the names of all that is there. */
export function placesBelow(folder: string): readonly Place[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return [
    { name: "file names", bytes: Buffer.from(names.join("\n")) },
    ...files.map((name) => ({ name, bytes: readFileSync(join(folder, name)) })),
  ];
}

/** Arguments and environments of every process seen while it was watched. */
export class ProcessWatch {
  readonly #seen = new Map<string, Place>();
  readonly #timer = setInterval(() => {
    this.look();
  }, 10).unref();

  look(): void {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      for (const what of ["cmdline", "environ"]) {
        try {
          const bytes = readFileSync(join("/proc", pid, what));
          this.#seen.set(bytes.toString("latin1"), { name: `${what} of ${pid}`, bytes });
        } catch {
          // It ended, or belongs to somebody else.
        }
      }
    }
  }

  /** Ends the watch and returns what it saw. */
  end(): readonly Place[] {
    clearInterval(this.#timer);
    return [...this.#seen.values()];
  }
}
