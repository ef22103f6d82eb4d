/** The media types of attachments: a closed list, for nothing in the tree covers that column. */

export const MEDIA_TYPES = [
  "application/json",
  "application/octet-stream",
  "application/pkcs10",
  "application/pkix-cert",
  "application/pkix-crl",
  "application/pkix-spki",
  "application/timestamp-query",
  "application/timestamp-reply",
  "application/yaml",
  "text/csv",
  "text/plain",
] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** Whether an attachment may state this type. */
export function isMediaType(text: unknown): text is MediaType {
  return MEDIA_TYPES.some((one) => one === text);
}
