/** Scripts that the stage conducts, and who plays what in them. */

import { Stage, type Cast } from "./stage.ts";

/** Everybody that a script of `script` calls for. */
export const ROLL: Readonly<Record<string, string>> = {
  ana: "ceremony-administrator",
  ben: "custodian",
  cleo: "custodian",
  dan: "custodian",
  eve: "internal-witness",
};
export const CAST: Cast = { present: ROLL };

const TWO = "[ceremony-administrator, internal-witness]";

/** A script whose roll call and close stand around these steps; each is one line of flow YAML. */
export function script(steps: readonly string[], head: readonly string[] = []): string {
  return [
    "keyrite: script/v1",
    "name: staged",
    "version: 1.0.0",
    "title: A staged ceremony",
    "caClass: none",
    ...head,
    "roles: { ceremony-administrator: 1, custodian: 3, internal-witness: 1 }",
    "steps:",
    "  - { id: roll-call, action: roll-call, by: everyone }",
    ...steps.map((step) => `  - { ${step} }`),
    "  - { id: close, action: close, by: everyone }",
    "",
  ].join("\n");
}

/** One step of each kind, by id. */
export const STEP = {
  clock: `id: clock, action: attest-clock, by: ${TWO}`,
  attest: `id: attest, action: attest, by: [internal-witness], with: { statement: It is so }`,
  deviation: `id: deviation, action: record-deviation, by: ${TWO}`,
  enroll: `id: enroll, action: enroll-person, by: ${TWO}, with: { person: fay, roles: [custodian], reference: file 4711 }`,
  renew: `id: renew, action: renew-person, by: ${TWO}, with: { person: ben, vettedUntil: 2027-11-30, reference: file 4713 }`,
  revoke: `id: revoke, action: revoke-person, by: ${TWO}, with: { person: olga, reason: left, reference: file 4712 }`,
  policy: `id: policy, action: change-policy, by: ${TWO}, with: { file: policy.next.yaml }`,
  adopt: `id: adopt, action: adopt-token, by: ${TWO}, with: { token: beta }`,
  initialize: `id: initialize, action: initialize-token, by: ${TWO}, with: { token: alpha, holders: custodian, officers: custodian }`,
  inspect: `id: inspect, action: inspect-token, by: [ceremony-administrator], with: { token: alpha }`,
  activate: `id: activate, action: activate-token, by: [custodian, custodian], with: { token: alpha }`,
  generate: `id: generate, action: generate-key, by: ${TWO}, with: { token: alpha, key: root-g1, algorithm: p-256, purpose: ca-signing, backup: never }`,
  certify: `id: certify, action: issue-certificate, by: ${TWO}, with: { token: alpha, key: root-g1, profile: tls-root, subject: "CN=Root G1,O=Example,C=DE", days: 3650, file: root-ca }`,
  deactivate: `id: deactivate, action: deactivate-token, by: [custodian], with: { token: alpha }`,
} as const;

/** By its id: the steps of a script up to this one, with what has to be there, and what has to follow. */
export const STEPS_TO = {
  clock: [STEP.clock],
  deviation: [STEP.deviation],
  enroll: [STEP.enroll],
  renew: [STEP.renew],
  revoke: [STEP.revoke],
  policy: [STEP.policy],
  adopt: [STEP.adopt],
  initialize: [STEP.initialize],
  activate: [STEP.initialize, STEP.activate, STEP.deactivate],
  deactivate: [STEP.initialize, STEP.activate, STEP.deactivate],
  generate: [STEP.initialize, STEP.activate, STEP.generate, STEP.deactivate],
  certify: [STEP.initialize, STEP.activate, STEP.generate, STEP.certify, STEP.deactivate],
} as const;

export const ESTABLISH = script([STEP.clock], ["founding: true"]);
export const DEVIATION = script([STEP.clock, STEP.deviation]);
export const INITIALIZE = script([STEP.clock, STEP.initialize]);
export const ROOT = script([STEP.activate, STEP.generate, STEP.certify, STEP.deactivate]);

/** A site that its founders established; fork it for every test. */
export async function foundedStage(): Promise<Stage> {
  const stage = await Stage.create();
  await stage.run(ESTABLISH, CAST);
  return stage;
}
