import { keyId } from './key-id.ts'
import { Recent } from './recent.ts'

/** Tells whether 32 bytes are an Ed25519 public key: the one encoding of a point of the curve that is not of small order. */

export const keyBytes = 32

/** The field's prime, and d of the curve -x² + y² = 1 + d·x²·y² (RFC 8032). */
const p = 2n ** 255n - 19n
const d = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n

/** An y of order 8. */
const order8 = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n

/** The y of the eight points of small order. Under such a key anybody can make signatures, so it identifies nobody. */
const smallOrder: ReadonlySet<bigint> = new Set([0n, 1n, p - 1n, order8, p - order8])

/** As many keys as one process talks with; a judgement costs 20 µs. */
const judged = new Recent<boolean>(10_000)

/** True for an Ed25519 public key: 32 bytes, y below p, on the curve, not of small order. */
export const isPublicKey = (bytes: Uint8Array): boolean =>
  bytes.length === keyBytes && judged.get(keyId(bytes), () => isPoint(bytes))

function isPoint(bytes: Uint8Array): boolean {
  const y = BigInt.asUintN(255, BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`))
  if (y >= p || smallOrder.has(y)) return false
  const square = (y * y) % p
  // x² = (y² - 1) / (d·y² + 1), which is a square exactly when the product is.
  return isSquare(((square - 1n) * (((d * square) % p) + 1n)) % p)
}

/** By the Jacobi symbol of value and p. */
function isSquare(value: bigint): boolean {
  let [a, n, isOne] = [value, p, true]
  while (a !== 0n) {
    for (; (a & 1n) === 0n; a >>= 1n) if (isThreeOrFive(n)) isOne = !isOne
    if ((a & 3n) === 3n && (n & 3n) === 3n) isOne = !isOne
    const rest = n % a
    n = a
    a = rest
  }
  return isOne
}

const isThreeOrFive = (n: bigint): boolean => (n & 7n) === 3n || (n & 7n) === 5n
