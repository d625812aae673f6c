// Reads a QR code from pixels by a decoder that is not the page's.
import { createRequire } from "node:module";

const { BinaryBitmap, DecodeHintType, HybridBinarizer, QRCodeReader, RGBLuminanceSource } =
  createRequire(import.meta.url)("@zxing/library");

/** The text of the code in a picture of one byte of grey a pixel, whether drawn or photographed. */
export function readCode(grey, width, height) {
  const bitmap = new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(grey, width, height)));
  const read = (way) =>
    new QRCodeReader().decode(bitmap, new Map([[DecodeHintType.CHARACTER_SET, "UTF-8"], [way, true]])).getText();
  try {
    return read(DecodeHintType.PURE_BARCODE);
  } catch {
    return read(DecodeHintType.TRY_HARDER);
  }
}
