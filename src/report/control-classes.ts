/** The classes of events that auditors ask a ledger for, and what in a ledger is of each. */

import type { FactKind } from "../ceremony/facts.ts";
import type { Entry, EntryType } from "../ledger/entry.ts";

/** A class of events, and what in a ledger is of it. */
export interface EventClass {
  readonly id: string;
  readonly group: string;
  readonly about: string;
  readonly facts?: readonly FactKind[];
  readonly types?: readonly EntryType[];
  /** Narrows `types`. */
  readonly where?: (entry: Entry) => boolean;
  /** Where to look for what no ledger of ours holds. */
  readonly elsewhere?: string;
}

const failedBegun = (entry: Entry): boolean => entry.step !== null;
const purpose =
  (name: string) =>
  (entry: Entry): boolean =>
    entry.data["purpose"] === name;

type Row = Omit<EventClass, "group" | "id" | "about">;

function group(name: string, rows: Readonly<Record<string, readonly [string, Row]>>): EventClass[] {
  return Object.entries(rows).map(([id, [about, row]]) => ({ id, group: name, about, ...row }));
}

const fact = (...facts: readonly FactKind[]): Row => ({ facts });
const type = (...types: readonly EntryType[]): Row => ({ types });
const elsewhere = (text: string): Row => ({ elsewhere: text });

const SITE_RECORDS = "access and camera records of the facility; an attestation may name them";

/** Every class, in the order in which an index lists them. */
export const EVENT_CLASSES: readonly EventClass[] = [
  ...group("ledger", {
    "ledger.created": ["the ledger was founded", type("ledger.created")],
    "checkpoint.cosigned": ["people countersigned the state of the ledger", {}],
    "tail.adopted": [
      "entries that nobody had countersigned were read and adopted",
      type("tail.adopted"),
    ],
    "ledger.archived": ["a period was archived", {}],
    "ledger.crosslinked": ["the state of another site's ledger was recorded", fact("site.trusted")],
  }),
  ...group("ceremony", {
    "ceremony.opened": [
      "a ceremony was opened, with script, plan and software",
      type("ceremony.opened"),
    ],
    "ceremony.closed": ["a ceremony was closed and signed off", type("ceremony.closed")],
    "ceremony.abandoned": ["a ceremony was given up, on record", type("ceremony.abandoned")],
    "ceremony.resumed": ["a ceremony was gone on with after an interruption", type("plan.amended")],
    "step.completed": ["a step was performed", type("step.completed")],
    "step.failed": ["a step failed", { types: ["step.failed"], where: failedBegun }],
    "deviation.recorded": [
      "a deviation, with its reason",
      { ...fact("deviation.recorded"), types: ["deviation.recorded"] },
    ],
    "attestation.given": [
      "a participant or witness stated something",
      { types: ["step.completed"], where: (entry) => entry.source === "manual" },
    ],
    "report.signed": ["the report was signed", elsewhere("the signed paper report")],
  }),
  ...group("people", {
    "person.enrolled": [
      "a person came onto the roster, with roles and reference",
      fact("person.enrolled"),
    ],
    "person.removed": ["a person left the roster, and why", fact("person.revoked")],
    "roll.called": ["who attended, in which roles", fact("people.present")],
    "roster.reviewed": ["the roster was reviewed", elsewhere("the operator's access reviews")],
    "training.recorded": [
      "training and vetting of trusted roles, and until when they are good",
      {
        ...fact("person.renewed"),
        ...elsewhere("personnel records; the reference of each enrolment names one"),
      },
    ],
  }),
  ...group("access", {
    "auth.succeeded": [
      "people authenticated and agreed to a step",
      { types: ["step.begun"], where: (entry) => entry.agreements.length > 0 },
    ],
    "auth.failed": ["an authentication failed", type("auth.failed")],
    "authz.refused": ["a step was refused", type("step.refused")],
    "facility.entered": ["entry to and exit from the room", elsewhere(SITE_RECORDS)],
  }),
  ...group("activation data", {
    "share.issued": ["activation data was split and shares were issued", fact("share-set.made")],
    "share.replaced": ["shares were replaced or destroyed", {}],
    "hsm.activated": ["a token was activated by a quorum", fact("token.activated")],
    "hsm.deactivated": ["a token was deactivated", fact("token.deactivated")],
  }),
  ...group("device", {
    "device.initialized": ["a token was initialised or adopted", fact("token.bound")],
    "device.inspected": [
      "seals and state of a device were inspected",
      elsewhere("attestations, and the operator's device records"),
    ],
    "device.moved": ["a device or copy was moved or stored", fact("copy.moved")],
    "device.retired": ["a token was taken out of service", fact("token.retired")],
    "device.log-collected": [
      "the device's own audit log was collected",
      {
        ...fact("device-log.attached"),
        ...elsewhere("the device's audit log, collected by its administrator"),
      },
    ],
    "device.serviced": [
      "firmware was changed, or a device was serviced",
      elsewhere("the operator's device records"),
    ],
  }),
  ...group("key", {
    "key.generated": ["a CA key pair was generated", fact("key.generated")],
    "key.locked": ["a key was made impossible to extract", fact("key.locked")],
    "key.stored": ["where a copy of a key is kept, and who holds it", fact("copy.moved")],
    "key.archived": ["a copy was kept beyond the use of its key", fact("copy.retained")],
    "key.compromise-suspected": [
      "a key was suspected to be compromised",
      elsewhere("the operator's incident records"),
    ],
  }),
  ...group("backup", {
    "backup.made": [
      "keys were wrapped into a backup and proved on a second token",
      fact("backup.made", "backup.completed"),
    ],
    "backup.cloned": ["a key was copied to another token", fact("key.cloned")],
    "backup.checked": ["a backup was looked at again", {}],
  }),
  ...group("transport key", {
    "kek.generated": [
      "a key encryption key was made",
      fact("kek.established", "transport.generated", "kek.escrowed"),
    ],
    "kek.moved": [
      "a key encryption key came to another token",
      fact("kek.sent", "kek.adopted", "kek.loaded"),
    ],
    "kek.destroyed": ["a key encryption key was destroyed", fact("kek.destroyed")],
  }),
  ...group("restore", {
    "restore.completed": ["a key was restored and proved", fact("key.restored")],
    "drill.completed": ["a restore drill or rehearsal was concluded", fact("drill.concluded")],
  }),
  ...group("destroy", {
    "copy.destroyed": ["a copy of a key was destroyed", fact("copy.destroyed")],
    "key.destroyed": [
      "a key and all its copies were destroyed, or what was retained was named",
      fact("key.destroyed"),
    ],
  }),
  ...group("use of key", {
    "certificate.issued": [
      "a CA certificate was signed",
      fact("certificate.issued", "certificate.imported"),
    ],
    "request.made": ["a certificate request was signed", fact("csr.made")],
    "revocation.signed": [
      "a certificate was revoked, or a CRL or OCSP responder certificate signed",
      fact("crl.issued", "certificate.revoked"),
    ],
  }),
  ...group("system", {
    "clock.attested": [
      "the clock was compared with a source by two people",
      fact("clock.attested"),
    ],
    "policy.changed": ["the site's policy was adopted or changed", fact("policy.adopted")],
    "software.recorded": ["which software and PKCS#11 modules ran", type("ceremony.opened")],
    "software.installed": [
      "software was installed, updated or removed",
      elsewhere("the operator's change records"),
    ],
    "anomaly.halted": [
      "a ceremony was found interrupted",
      { types: ["step.opened"], where: purpose("resume") },
    ],
  }),
  ...group("evidence", {
    "video.recorded": ["video of the ceremony", elsewhere(SITE_RECORDS)],
    "document.attached": [
      "scripts, plans and other documents lie in the ledger",
      type("ceremony.opened"),
    ],
  }),
  ...group("incident", {
    "incident.opened": [
      "an incident was opened, acknowledged or closed",
      elsewhere("the operator's incident records"),
    ],
  }),
];
