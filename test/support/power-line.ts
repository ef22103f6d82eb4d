/**
 * The power of a stage: everything that lasts – an entry, cosignatures, a file, a call that changes a token – is
 * an act on it, and it goes right before the act that a test names. Whatever a dying process would still do does
 * not happen.
 */

import type { Outbox, SiteFiles, Vaults } from "../../src/ceremony/action.ts";
import type { Hall } from "../../src/ceremony/hall.ts";
import { Recorder } from "../../src/ceremony/recorder.ts";
import type { Medium } from "../../src/people/medium.ts";
import type { CallName } from "./faulty-module.ts";
import type { Stage } from "./stage.ts";

/** The process is gone: nothing is caught any more. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

const CHANGES: ReadonlySet<CallName> = new Set([
  "initToken",
  "initPin",
  "setPin",
  "generateKey",
  "generateKeyPair",
  "createObject",
  "createObjectNow",
  "unwrapKey",
  "unwrapKeyNow",
  "sign",
  "signNow",
  "destroyObject",
  "setAttributes",
]);

export class PowerLine {
  /** What happened, in order: where a cut at that number lies. */
  readonly acts: string[] = [];
  #at = Infinity;
  #dead = false;

  /** The power goes right before act number `at`, from 1; never without one. */
  cutAt(at = Infinity): void {
    this.acts.length = 0;
    this.#at = at;
    this.#dead = false;
  }

  #tick(what: string): void {
    if (this.#dead) throw new PowerCut();
    this.acts.push(what);
    if (this.acts.length < this.#at) return;
    this.#dead = true;
    throw new PowerCut();
  }

  /** Puts a stage on this line. */
  feed(stage: Stage): void {
    const tick = (what: string): void => {
      this.#tick(what);
    };
    stage.makeRecorder = (ledger, fold) =>
      new (class extends Recorder {
        override appendAll(...given: Parameters<Recorder["appendAll"]>): number {
          tick(`append ${given[0].map(({ type }) => type).join(" ")}`);
          return super.appendAll(...given);
        }

        override addCosignatures(...given: Parameters<Recorder["addCosignatures"]>): void {
          tick("cosignatures");
          super.addCosignatures(...given);
        }
      })(ledger, fold);
    stage.rig.faults.before = (call) => {
      if (CHANGES.has(call)) tick(call);
    };
  }

  /** The parts of a hall that leave something, on this line. */
  over(hall: Hall): Partial<Hall> {
    return {
      files: this.#writing<SiteFiles>(hall.files),
      outbox: (ceremony) => this.#writing<Outbox>(hall.outbox(ceremony)),
      vaults: this.#vaults(hall.vaults),
      medium: async (person, name) => this.#writing<Medium>(await hall.medium(person, name)),
    };
  }

  #vaults(vaults: Vaults): Vaults {
    return {
      ...vaults,
      create: async (vault, backup) => {
        this.#tick(`create ${vault}`);
        return this.#writing(await vaults.create(vault, backup));
      },
      open: async (vault, backup) => this.#writing(await vaults.open(vault, backup)),
    };
  }

  #writing<T extends object>(capability: T): T {
    const tick = (what: string): void => {
      this.#tick(what);
    };
    return new Proxy(capability, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver);
        const writes = /^(?:write|replace|remove)/.test(String(name));
        if (typeof member !== "function" || !writes) return member;
        return (...given: unknown[]): unknown => {
          const which = given.find((one) => typeof one === "string");
          tick(`${String(name)} ${which ?? ""}`);
          return Reflect.apply(member, target, given);
        };
      },
    });
  }
}
