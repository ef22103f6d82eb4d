/**
 * Requirements that want classes of events in a ledger. In our own words; the texts are TLS BR 2.2.6,
 * WebTrust for CAs 2.2.1, and ETSI EN 319 411-1 with EN 319 401.
 */

/** A requirement, and the classes of events by which a ledger shows that it was met. */
export interface Control {
  readonly id: string;
  readonly regime: "BR" | "WebTrust" | "ETSI EN 319 411-1";
  readonly text: string;
  readonly classes: readonly string[];
}

const ROLES = ["roll.called", "auth.succeeded"];
const GENERATION = [
  "ceremony.opened",
  "key.generated",
  ...ROLES,
  "step.completed",
  "ceremony.closed",
];
const BACKUP = ["backup.made", "kek.generated", "key.stored", "auth.succeeded"];

const control = (
  regime: Control["regime"],
  id: string,
  text: string,
  classes: readonly string[],
): Control => ({ id, regime, text, classes });

/** The requirements, by regime. */
export const CONTROLS: readonly Control[] = [
  control("BR", "5.2.2", "keys are backed up, stored and recovered under dual control", [
    ...BACKUP,
    "restore.completed",
    "facility.entered",
  ]),
  control(
    "BR",
    "5.4.1(1)",
    "life of CA keys: generation, backup, storage, recovery, archival, destruction",
    [
      "key.generated",
      "backup.made",
      "key.stored",
      "restore.completed",
      "key.archived",
      "key.destroyed",
    ],
  ),
  control("BR", "5.4.1(1)", "life of cryptographic devices", [
    "device.initialized",
    "device.moved",
    "device.serviced",
    "device.retired",
  ]),
  control("BR", "5.4.1(1)", "CA certificates: requests, issuance, revocation, profiles", [
    "request.made",
    "certificate.issued",
    "revocation.signed",
  ]),
  control("BR", "5.4.1(3)", "security events: access, changes, anomalies, entries and exits", [
    "auth.succeeded",
    "auth.failed",
    "authz.refused",
    "policy.changed",
    "anomaly.halted",
    "software.installed",
    "facility.entered",
  ]),
  control("BR", "5.7.1.1", "recovery is tested regularly, with activation material", [
    "drill.completed",
    "hsm.activated",
  ]),
  control(
    "BR",
    "6.1.1.1",
    "a script is prepared and followed, by trusted roles under multi-person control and split knowledge, witnessed",
    [...GENERATION, "share.issued", "attestation.given", "video.recorded"],
  ),
  control("BR", "6.2.7", "keys live in a module whose kind and state are known", [
    "device.initialized",
    "software.recorded",
  ]),
  control("WebTrust", "3.5", "changes of software and systems are recorded", [
    "software.recorded",
    "software.installed",
  ]),
  control("WebTrust", "3.10", "audit records are complete, protected and reviewed", [
    "ledger.created",
    "checkpoint.cosigned",
    "ledger.archived",
    "clock.attested",
    "tail.adopted",
  ]),
  control(
    "WebTrust",
    "4.1",
    "CA keys are generated as a reviewed script says, with sign-off and deviations",
    [...GENERATION, "deviation.recorded", "report.signed"],
  ),
  control("WebTrust", "4.2", "CA keys are stored, backed up and recovered under dual control", [
    ...BACKUP,
    "restore.completed",
  ]),
  control("WebTrust", "4.6", "CA keys are destroyed with authorisation, all copies accounted for", [
    "copy.destroyed",
    "key.destroyed",
    "device.retired",
  ]),
  control("WebTrust", "4.8", "devices are received, tested, moved and serviced by several people", [
    "device.initialized",
    "device.inspected",
    "device.moved",
    "device.serviced",
    "device.log-collected",
  ]),
  control(
    "ETSI EN 319 411-1",
    "GEN-6.4.3-02",
    "no one person can sign certificates of subordinate CAs with the root",
    ["certificate.issued", "auth.succeeded"],
  ),
  control("ETSI EN 319 411-1", "OVR-6.4.5", "events are logged with a precise time", [
    "clock.attested",
    "step.completed",
    "auth.failed",
  ]),
  control(
    "ETSI EN 319 411-1",
    "OVR-6.4.6-01",
    "records are kept for seven years after the last certificate",
    ["ledger.archived"],
  ),
  control(
    "ETSI EN 319 411-1",
    "GEN-6.5.1-04",
    "CA keys are made under dual control of trusted roles",
    ["key.generated", ...ROLES],
  ),
  control(
    "ETSI EN 319 411-1",
    "GEN-6.5.1-11..14",
    "a documented procedure, and a signed report that it was followed",
    [...GENERATION, "attestation.given", "report.signed"],
  ),
  control(
    "ETSI EN 319 411-1",
    "GEN-6.5.2-06",
    "keys are backed up, stored and recovered under dual control in a secured place",
    [...BACKUP, "restore.completed", "facility.entered"],
  ),
  control("ETSI EN 319 411-1", "GEN-6.5.2-13", "all copies of a key are destroyed at its end", [
    "copy.destroyed",
    "key.destroyed",
  ]),
  control(
    "ETSI EN 319 411-1",
    "GEN-6.5.4-01",
    "several trusted people install and activate CA keys together",
    ["hsm.activated", "share.issued"],
  ),
];
