import { crc32 } from 'node:zlib'

/** The polynomial of CRC-32 (IEEE 802.3), bits reversed, as zlib has it. */
const POLYNOMIAL = 0xedb88320

/** Register after one byte, from 0. */
const BYTES = new Int32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let register = byte
  for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? POLYNOMIAL : 0)
  BYTES[byte] = register
}

/**
 * CRC-32 of `data` with zeros behind it up to `length` bytes. The zeros cost no time of their own.
 */
export function paddedCrc(data: Uint8Array, length: number): number {
  const register = crc32(data) ^ -1
  return (shift(register, zerosOperator(length - data.length)) ^ -1) >>> 0
}

/** Tables for a window of fixed length that rolls over data; see {@link rollingCrc}. */
export interface Rolling {
  /** What the CRC-32 of the window differs by from the register that starts at 0. */
  readonly mask: number
  /** Takes the register on by one byte. */
  readonly enter: Int32Array
  /** Takes the byte that is left behind out of the register. */
  readonly leave: Int32Array
}

/**
 * Tables for windows of `length` bytes. CRC is linear: a register that starts at 0 is the sum of
 * what each byte adds. With `register = crc ^ mask`, the next one is
 * `(register >>> 8) ^ enter[(register ^ newByte) & 255] ^ leave[oldByte]`.
 */
export function rollingCrc(length: number): Rolling {
  const operator = zerosOperator(length)
  return {
    mask: shift(-1, operator) ^ -1,
    enter: BYTES,
    leave: BYTES.map((register) => shift(register, operator)),
  }
}

/** x^(8 * count) modulo the polynomial: what `count` zero bytes do to a register. */
function zerosOperator(count: number): number {
  let result = 1 << 31
  let square = 1 << 23
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = shift(result, square)
    square = shift(square, square)
  }
  return result
}

/** Product of two polynomials modulo that of the CRC; the highest bit stands for 1. */
function shift(a: number, b: number): number {
  let product = 0
  for (let bit = 31, term = b; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= term
    term = (term >>> 1) ^ (term & 1 ? POLYNOMIAL : 0)
  }
  return product | 0
}
