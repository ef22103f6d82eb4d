/** `bundle.json`: what an evidence bundle says of itself and of every file in it. Format: docs/formats/bundle.md. */

import { digest } from "../ceremony/words.ts";
import { fromUtf8, utf8 } from "../lib/encoding.ts";
import { canonicalJson, isCanonicalText, type Json } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { isPlainPath } from "../lib/tar.ts";

/** Name of the manifest in a bundle. */
export const MANIFEST = "bundle.json";
/** Name of the ledger in a bundle. */
export const LEDGER = "ledger.db";
/** The most files, the manifest not counted: tiles of some fifty million entries. */
export const MOST_FILES = 400_000;

const count = z.int().min(0);

const schema = z.strictObject({
  keyrite: z.literal("bundle/v1"),
  origin: z.string().min(1),
  assurance: z.enum(["production", "test"]),
  /** Entries of the ledger, and the root over them in hex. */
  size: count,
  root: digest,
  /** Size of the newest checkpoint that two or more people cosigned; 0 without one. */
  cosigned: count,
  /** Time of the last entry: a bundle has no other. */
  time: z.string().min(1),
  tool: z.strictObject({ name: z.string(), version: z.string(), sha256: digest }),
  files: z.array(z.strictObject({ path: z.string().min(1), sha256: digest, bytes: count })),
});

export type BundleManifest = z.infer<typeof schema>;
export type BundledFile = BundleManifest["files"][number];

/** The bytes of a manifest; its files sorted by path. */
export function manifestBytes(manifest: BundleManifest): Uint8Array {
  return utf8(canonicalJson(sorted(manifest)));
}

function sorted(manifest: BundleManifest): Json {
  const files = [...manifest.files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { ...manifest, files: files as unknown as Json };
}

/** A manifest in its one form, or what is wrong with it. */
export function readManifest(bytes: Uint8Array): BundleManifest | string {
  let value: Json;
  let text: string;
  try {
    text = fromUtf8(bytes);
    value = JSON.parse(text) as Json;
  } catch {
    return `${MANIFEST} is not JSON in UTF-8`;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `${MANIFEST} is malformed: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`;
  }
  const manifest = parsed.data;
  // Sorted, every name once, and no second way to write the same: so its digest names one bundle.
  if (!isCanonicalText(sorted(manifest), text)) return `${MANIFEST} is not in canonical form`;
  const { files } = manifest;
  if (files.length > MOST_FILES) return `${MANIFEST} lists more than ${MOST_FILES} files`;
  const odd = files.find(({ path }) => !isPlainPath(path) || path === MANIFEST);
  if (odd !== undefined) return `${MANIFEST} lists ${odd.path}, which is no plain name`;
  const twice = files.find(({ path }, i) => path === files[i + 1]?.path);
  return twice === undefined ? manifest : `${MANIFEST} lists ${twice.path} twice`;
}
