/** Whether a serial number can be random. */

const LEAST_SERIAL_BYTES = 8;
/** Eight random bytes have fewer different values than this about once in 10^10 serials. */
const LEAST_DIFFERENT_BYTES = 4;

/** Why a serial number (content bytes in hex) cannot hold 64 random bits, or undefined. */
export function serialLooksFixed(serial: string): string | undefined {
  // What is not positive is another rule's to say.
  if (/^[89a-f]/.test(serial) || /^0*$/.test(serial)) return undefined;
  const bytes = serial.replace(/^00/, "").match(/../g) ?? [];
  if (bytes.length < LEAST_SERIAL_BYTES) {
    return `the serial number has ${bytes.length} octets, too few for 64 random bits`;
  }
  const different = new Set(bytes).size;
  return different < LEAST_DIFFERENT_BYTES ? "the serial number does not look random" : undefined;
}
