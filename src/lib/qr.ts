/** QR codes: a text as a square of dark and light modules. The one place that knows the package. */

import qrcode from "qrcode-generator";

/**
 * The modules of the smallest QR code that holds the text's UTF-8 bytes, row by row, true for dark, without
 * the quiet zone. Error correction M: a printed code survives a fold or a stain.
 * @throws RangeError when the text is longer than a QR code holds (about 2,300 bytes)
 */
export function qrModules(text: string): readonly (readonly boolean[])[] {
  const code = qrcode(0, "M");
  // The package reads a string's characters as bytes.
  code.addData(Buffer.from(text, "utf8").toString("latin1"), "Byte");
  try {
    code.make();
  } catch (cause) {
    throw new RangeError("the text is too long for a QR code", { cause });
  }
  const size = code.getModuleCount();
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_unused, column) => code.isDark(row, column)),
  );
}
