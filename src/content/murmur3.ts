const mask = 0xffff_ffff_ffff_ffffn
const c1 = 0x87c3_7b91_1142_53d5n
const c2 = 0x4cf5_ad43_2745_937fn

const rotl = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & mask
const mixed1 = (k: bigint): bigint => (rotl((k * c1) & mask, 31n) * c2) & mask
const mixed2 = (k: bigint): bigint => (rotl((k * c2) & mask, 33n) * c1) & mask

const finished = (value: bigint): bigint => {
  let h = ((value ^ (value >> 33n)) * 0xff51_afd7_ed55_8ccdn) & mask
  h = ((h ^ (h >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & mask
  return h ^ (h >> 33n)
}

/** Little endian, of up to 8 bytes. */
const number = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

/** The first 8 bytes of MurmurHash3 (x64, 128 bits, seed 0): by them a large folder spreads its names. */
export function murmur3(bytes: Uint8Array): Uint8Array {
  const whole = bytes.length - (bytes.length % 16)
  let h1 = 0n
  let h2 = 0n
  for (let at = 0; at < whole; at += 16) {
    h1 = ((rotl(h1 ^ mixed1(number(bytes.subarray(at, at + 8))), 27n) + h2) * 5n + 0x52dc_e729n) & mask
    h2 = ((rotl(h2 ^ mixed2(number(bytes.subarray(at + 8, at + 16))), 31n) + h1) * 5n + 0x3849_5ab5n) & mask
  }
  const rest = bytes.subarray(whole)
  h1 ^= mixed1(number(rest.subarray(0, 8))) ^ BigInt(bytes.length)
  h2 ^= mixed2(number(rest.subarray(8))) ^ BigInt(bytes.length)
  h1 = (h1 + h2) & mask
  h2 = (h2 + h1) & mask
  const hash = new Uint8Array(8)
  new DataView(hash.buffer).setBigUint64(0, (finished(h1) + finished(h2)) & mask)
  return hash
}
