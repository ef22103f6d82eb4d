/**
 * Makes a certificate request (PKCS#10) for an outside CA: signed by the key that it is about, which
 * proves to that CA that this site holds it.
 */

import { defineAction, type Doubt, type Room, type Settlement } from "../ceremony/action.ts";
import { always, fileIsFree, keyIsOn, tokenIsActive } from "../ceremony/conditions.ts";
import { tokenOwesNothing } from "../ceremony/conditions-copies.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { label, line } from "../ceremony/words.ts";
import type { SignatureScheme } from "../lib/algorithms.ts";
import { base64, fromBase64, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { dnProblem, formatDn, parseDn } from "../pki/names.ts";
import { keyLabelledOn, requireKeyOn, requireSpki } from "./lib/certificate-refs.ts";
import {
  hasAgreedBytes,
  rehearse,
  requireAgreed,
  signAgreed,
  type Agreed,
  type Form,
} from "./lib/double-signing.ts";
import { keptFile } from "./lib/issuing.ts";
import {
  leftLines,
  lookAtOutputs,
  outputNames,
  REQUEST,
  writeOutputs,
  type Left,
  type OutFile,
} from "./lib/outputs.ts";
import { requestForm } from "./lib/request-form.ts";
import { examineRequest, requestedUnder } from "./lib/request-profile.ts";
import { rsaPadding, rsaPaddingFits } from "./lib/rsa-padding.ts";

const params = () =>
  z.strictObject({
    token: label,
    key: label,
    subject: line,
    /** What the certificate shall be for: its kind of key use is asked for. Without one nothing is. */
    profile: label.optional(),
    /** How an RSA key signs; without it as the profile says, or PKCS#1. */
    rsaPadding: rsaPadding().optional(),
    file: label,
  });
type Params = z.infer<ReturnType<typeof params>>;

interface ToSign extends JsonObject {
  /** DER of the CertificationRequestInfo, base64. */
  readonly tbs: string;
  readonly sha256: string;
  readonly scheme: SignatureScheme;
  readonly spki: string;
  readonly subject: string;
  /** Of the profile; null without one. */
  readonly profileSha256: string | null;
  readonly warnings: readonly string[];
}
interface Made extends JsonObject {
  readonly sha256: string;
  readonly tbs: string;
  readonly spki: string;
  readonly subject: string;
  readonly files: readonly OutFile[];
  readonly warnings: readonly string[];
}

export const makeCsr = defineAction<Params, ToSign, Made>({
  name: "make-csr",
  control: "dual",
  params,
  facts: ["csr.made"],
  instruction: (p) =>
    `Make a certificate request of key ${p.key} on token ${p.token} for ${p.subject}${p.profile === undefined ? "" : ` under profile ${p.profile}`}, file ${p.file}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    keyIsOn(p.token, p.key),
    tokenOwesNothing(p.token),
    fileIsFree(p.file),
    always("subject", dnProblem(p.subject)),
    rsaPaddingFits(p),
  ],
  examine: examineRequest,
  forecast: (p, custody) => ({
    sha256: sha256Hex(`planned\n${p.file}`),
    tbs: "",
    spki: keyLabelledOn(custody, p.token, p.key)?.spki ?? "0".repeat(64),
    subject: p.subject,
    files: [{ file: `${p.file}.csr`, sha256: "0".repeat(64) }],
    warnings: [],
  }),
  establishes: (p, { sha256, spki, subject, files }) => [
    { kind: "csr.made", sha256, spki, subject, file: p.file, files: [...files] },
  ],
  admits: (p, intent, fact, cited) =>
    fact.kind === "csr.made" &&
    hasAgreedBytes(intent) &&
    // The fact names no signed part: another request of the same key and name would pass for this one.
    (cited.signedPart(fact.sha256) ?? intent.sha256) === intent.sha256 &&
    fact.spki === intent.spki &&
    fact.subject === intent.subject &&
    fact.file === p.file &&
    fact.files.map(({ file }) => file).join() === outputNames(REQUEST, p.file).join(),
  async subject(p, room) {
    const { buildCsr } = await import("../pki/csr.ts");
    const { explainCsr } = await import("../pki/explain-csr.ts");
    const key = requireKeyOn(room.custody, p.token, p.key);
    const spki = requireSpki(room, key.spki);
    const wanted = await requestedUnder(p, room);
    const { tbs, view, scheme } = buildCsr({
      subject: parseDn(p.subject),
      spki,
      ...wanted.parts(spki),
    });
    const { warnings } = await rehearse(await requestForm(wanted.trust), tbs, scheme, key);
    const sha256 = sha256Hex(tbs);
    const subject = formatDn(view.subject);
    return {
      data: {
        ...{ tbs: base64(tbs), sha256, scheme, spki: key.spki, subject },
        profileSha256: wanted.sha256,
        warnings,
      },
      shown: [
        "This is what will be signed, in plain words:",
        ...explainCsr(view),
        ...warnings.map((warning) => `WARNING: ${warning}`),
        ...digestLines("To be signed, SHA-256", sha256),
      ],
    };
  },
  async run(p, room, { subject, settled }) {
    const { agreed, form } = await agreedRequest(p, room, subject);
    const kept = settled === null ? undefined : await keptFile(room, REQUEST, p, settled as Left);
    if (kept !== undefined) requireAgreed(form, kept, agreed);
    const der = kept ?? (await signAgreed(room, form, agreed));
    const files = await writeOutputs(room, REQUEST, p.file, der);
    const { spki, warnings } = subject;
    const sha256 = room.attach(REQUEST.mediaType, der);
    return { sha256, tbs: subject.sha256, spki, subject: subject.subject, files, warnings };
  },
  settle,
});

async function settle(p: Params, room: Room, { intent }: Doubt<ToSign>): Promise<Settlement> {
  const { agreed, form } = await agreedRequest(p, room, intent);
  const { readCsr } = await import("../pki/csr-read.ts");
  const left = await lookAtOutputs(room, REQUEST, p.file, {
    agreed: (der) => {
      requireAgreed(form, der, agreed);
    },
    whole: (der) => {
      readCsr(der);
    },
  });
  return {
    shown: leftLines(REQUEST, left),
    data: left,
    choices: left.foreign.length === 0 ? ["finish"] : [],
  };
}

async function agreedRequest(
  p: Params,
  room: Room,
  intent: ToSign,
): Promise<{ readonly agreed: Agreed; readonly form: Form }> {
  const key = requireKeyOn(room.custody, p.token, p.key);
  const tbs = fromBase64(intent.tbs);
  if (tbs === undefined || key.spki !== intent.spki) {
    throw new KeyriteError("people.agreement-invalid", "what was agreed to cannot be signed");
  }
  const { scheme, sha256 } = intent;
  const spki = requireSpki(room, key.spki);
  const { trust } = await requestedUnder(p, room);
  return {
    agreed: { token: p.token, key, spki, scheme, tbs, sha256 },
    form: await requestForm(trust),
  };
}
