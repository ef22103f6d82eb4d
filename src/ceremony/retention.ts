/**
 * How long the records of a ledger must be kept. TLS BR 5.4.3 and 5.5.2: two years after the later of a CA
 * key's destruction and the end of its last CA certificate, and two years after a security event; ETSI
 * EN 319 411-1 OVR-6.4.6-01: seven years after the end of any certificate that relies on the records.
 */

/** What retention asks of one CA key. Times are RFC 3339. */
export interface RetainedKey {
  readonly spki: string;
  readonly label: string;
  /** When the record says that it and its copies were destroyed; null while it is not. */
  readonly destroyedAt: string | null;
  /** A copy stays although the key is destroyed. */
  readonly retained: boolean;
  /** When its last CA certificate expires or was revoked; null when it has none. */
  readonly certificateEnd: string | null;
  /** The latest end of a certificate that it issued on record; null when there is none. */
  readonly relyingEnd: string | null;
}

export interface RetentionRule {
  /** `BR:5.4.3`, `BR:5.5.2` or `ETSI:OVR-6.4.6-01`. */
  readonly rule: string;
  /** `key <label>` or `events`. */
  readonly about: string;
  /** What the years count from; null when that has not happened yet. */
  readonly from: string | null;
  /** Null: keep, without a date. */
  readonly until: string | null;
  readonly why: string;
}

export interface Retention {
  /** The date before which nothing may be deleted; null while there is none. */
  readonly until: string | null;
  readonly rules: readonly RetentionRule[];
}

const BR_YEARS = 2;
const ETSI_YEARS = 7;

/**
 * When the records may be given up at the earliest. A live key has no date: the years have not begun. No date
 * allows anything by itself; nothing is ever deleted by this program.
 * @param lastEvent time of the newest entry
 */
export function retentionOf(keys: readonly RetainedKey[], lastEvent: string): Retention {
  const events: RetentionRule = {
    rule: "BR:5.5.2",
    about: "events",
    from: lastEvent,
    until: plusYears(lastEvent, BR_YEARS),
    why: "two years after the newest record was made",
  };
  const rules = [events, ...keys.flatMap((key) => [brRule(key), ...etsiRules(key)])];
  const dates = rules.map(({ until }) => until);
  const until = dates.includes(null) ? null : latest(dates);
  return { until, rules };
}

function brRule(key: RetainedKey): RetentionRule {
  const named = { rule: "BR:5.4.3", about: `key ${key.label}` };
  const { destroyedAt, retained, certificateEnd } = key;
  if (destroyedAt === null || retained) {
    const why = retained ? "a copy of the key is retained" : "the key is not destroyed";
    return { ...named, from: null, until: null, why };
  }
  const from = latest([destroyedAt, certificateEnd]);
  const why = "two years after the key was destroyed and its last CA certificate ended";
  return { ...named, from, until: from === null ? null : plusYears(from, BR_YEARS), why };
}

// Certificates that other systems issued under the key end, in a shell model, before its own certificate.
function etsiRules(key: RetainedKey): readonly RetentionRule[] {
  const from = latest([key.certificateEnd, key.relyingEnd]);
  if (from === null) return [];
  const why = "seven years after the last certificate that relies on the key ended";
  const until = plusYears(from, ETSI_YEARS);
  return [{ rule: "ETSI:OVR-6.4.6-01", about: `key ${key.label}`, from, until, why }];
}

function latest(times: readonly (string | null)[]): string | null {
  const known = times.filter((time) => time !== null);
  return known.reduce<string | null>(
    (last, time) => (last === null || Date.parse(time) > Date.parse(last) ? time : last),
    null,
  );
}

/** The same day so many years later; after 29 February the day that follows, never one before. */
function plusYears(time: string, years: number): string {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.toISOString();
}
