/**
 * `keyrite timestamp`: an outside authority says when it saw a ledger's head (RFC 3161). The request goes out
 * as a file, the answer comes back as one; Keyrite itself speaks to nobody.
 */

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { LedgerStore } from "../ledger/store.ts";
import { hex, sha256, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { makeFolder, readBounded, writeNewFile } from "../lib/files.ts";
import { readOutsideCertificate } from "../pki/outside.ts";
import { judgeTimestamp, LONGEST_RESPONSE, type Timestamp } from "../pki/timestamp.ts";
import { formatTimestampRequest, parseTimestampRequest } from "../pki/timestamp-request.ts";
import type { BundleFile } from "../report/bundle.ts";
import { openBundle } from "./bundle-source.ts";
import { stampedHead, stampFile, STAMPS, stampsBelow, stampsIn } from "./kept-stamps.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { openSite, siteFolder } from "./site.ts";
import { systemRandom } from "./system.ts";

const NONCE_BYTES = 16;

export interface TimestampRequestOptions {
  readonly site?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** Writes a request for a time stamp on the newest checkpoint. @throws KeyriteError usage.refused */
export function timestampRequest(options: TimestampRequestOptions): Promise<void> {
  const site = openSite(siteFolder(options.site), { write: false });
  const { ledger } = site;
  try {
    const note = ledger.checkpoint();
    if (note === undefined) {
      throw new KeyriteError("usage.refused", "the ledger is empty: there is nothing to stamp");
    }
    // The first bit is clear, so that the number has the length of its bytes.
    const random = Buffer.from(systemRandom.bytes(NONCE_BYTES)).toString("hex");
    const nonce = BigInt(`0x${random}`) >> 1n;
    const digest = sha256(note);
    const der = formatTimestampRequest({ digest, nonce });
    writeNewFile(resolve(options.out), der, { mode: 0o644 });
    const { size, origin } = ledger;
    if (options.json === true) {
      printJson("timestamp-request", { origin, size, sha256: hex(digest) });
      return Promise.resolve();
    }
    tellLine(`A request for a time stamp on the head of ${origin}, size ${size}.`);
    tellLine(
      "Next: send it to a time-stamping authority, then keyrite timestamp accept its answer.",
    );
  } finally {
    ledger.close();
  }
  return Promise.resolve();
}

export interface TimestampAcceptOptions {
  readonly site?: string;
  readonly request?: string;
  readonly root: readonly string[];
  readonly json?: boolean;
}

/**
 * Judges an answer and keeps it with the site, beside its ledger.
 * @throws KeyriteError ledger.not-trusted, usage.bad-file
 */
export function timestampAccept(file: string, options: TimestampAcceptOptions): Promise<void> {
  const response = readBounded(file, LONGEST_RESPONSE);
  const folder = siteFolder(options.site);
  const site = openSite(folder, { write: false });
  try {
    const stamp = judgeTimestamp(response, {
      roots: readRoots(options.root),
      ...(options.request === undefined ? {} : { nonce: nonceOf(options.request) }),
    });
    const { size } = stampedHead(site.ledger, stamp);
    const path = stampFile(size, response);
    makeFolder(join(folder, STAMPS), 0o755);
    if (!existsSync(join(folder, path))) {
      writeNewFile(join(folder, path), response, { mode: 0o644 });
    }
    const file = basename(path);
    if (options.json === true) printJson("timestamp-accept", { size, file, ...plain(stamp) });
    else tellLine(`${said(stamp)}: the head of size ${size}. It is kept as ${path}.`);
  } finally {
    site.ledger.close();
  }
  return Promise.resolve();
}

export interface TimestampVerifyOptions {
  readonly site?: string;
  readonly root: readonly string[];
  readonly json?: boolean;
}

/**
 * Judges every time stamp that a site keeps, or that came in an evidence bundle.
 * @throws KeyriteError ledger.not-trusted for the first that fails
 */
export function timestampVerify(
  place: string | undefined,
  options: TimestampVerifyOptions,
): Promise<void> {
  const roots = readRoots(options.root);
  const { ledger, kept, close } = keptAt(place, options.site);
  try {
    const stamps = kept.map(({ path, bytes }) => {
      const stamp = judgeTimestamp(bytes, { roots });
      return { file: basename(path), size: stampedHead(ledger, stamp).size, stamp };
    });
    if (stamps.length === 0) {
      throw new KeyriteError("usage.refused", "there is no time stamp to judge", {
        hints: ["keyrite timestamp request asks for one"],
      });
    }
    if (options.json === true) {
      const listed = stamps.map(({ file, size, stamp }) => ({ file, size, ...plain(stamp) }));
      printJson("timestamp-verify", { stamps: listed });
    } else {
      for (const { size, stamp } of stamps) printLine(`${said(stamp)}: the head of size ${size}`);
    }
  } finally {
    close();
  }
  return Promise.resolve();
}

interface KeptStamps {
  readonly ledger: LedgerStore;
  readonly kept: readonly BundleFile[];
  readonly close: () => void;
}

/** Stamps and ledger of a bundle where one is named, else of the site. */
function keptAt(place: string | undefined, site: string | undefined): KeptStamps {
  if (place === undefined) {
    const folder = siteFolder(site);
    const { ledger } = openSite(folder, { write: false });
    const close = (): void => {
      ledger.close();
    };
    return { ledger, kept: stampsBelow(folder), close };
  }
  const source = openBundle(resolve(place));
  if (source === undefined) {
    throw new KeyriteError("usage.bad-file", `${place} is no evidence bundle`, {
      hints: ["a site is named by --site"],
    });
  }
  const ledger = LedgerStore.open(source.ledger());
  const close = (): void => {
    ledger.close();
    source.close();
  };
  return { ledger, kept: stampsIn(source), close };
}

function readRoots(files: readonly string[]): readonly Uint8Array[] {
  if (files.length > 0) {
    return files.map((file) => readOutsideCertificate(readBounded(file, 1 << 20)).der);
  }
  throw new KeyriteError("usage.bad-option", "name the root certificate of the authority", {
    hints: ["--root FILE, got from the authority by another way than the answer"],
  });
}

function nonceOf(file: string): bigint {
  return parseTimestampRequest(readBounded(file, LONGEST_RESPONSE)).nonce;
}

function plain({ time, authority, serial, policy }: Timestamp): Readonly<Record<string, string>> {
  return { time, authority, serial, policy };
}

function said({ time, authority }: Timestamp): string {
  return `${visible(authority)} saw it at ${time}`;
}
