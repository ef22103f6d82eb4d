/** Why a certificate was revoked (RFC 5280 §5.3.1): the closed words, loaded without any decoder. */

/**
 * Reasons that we write. Not `unspecified`, which means that nothing is said and is left out; not
 * `certificateHold` and `removeFromCRL`, for no CA certificate comes back (BR 7.2.2).
 */
export const REVOCATION_REASONS = [
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** Values of the ENUMERATED, those that we only read included. */
export const REASON_CODES: Readonly<Record<string, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
};
