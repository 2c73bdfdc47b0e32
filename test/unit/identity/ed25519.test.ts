import * as fc from 'fast-check'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { checkKey } from '../../../src/identity/checked-bytes.ts'
import { isPublicKey } from '../../../src/identity/ed25519.ts'
import { publicKeyOf, SigningKey } from '../../../src/identity/keys.ts'
import { notKeys } from '../../helpers/faults/not-keys.ts'
import { bytesOf } from '../../helpers/signed-objects.ts'

const half = (hex: string): Uint8Array => fromString(hex, 'hex')

describe('an Ed25519 public key', () => {
  it('is one that was made from a seed', () => {
    fc.assert(fc.property(bytesOf(32), (seed) => isPublicKey(SigningKey.fromSeed(seed).publicKey)))
  })

  it.each([
    // RFC 8032, tests 1 to 3.
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025'
  ])('is %s', (hex) => expect(isPublicKey(half(hex))).toBe(true))

  it.each(notKeys)('is not $name', ({ publicKey }) => {
    expect(isPublicKey(publicKey)).toBe(false)
    expect(() => checkKey(publicKey, 'key')).toThrow('key is no Ed25519 key')
  })

  it('is about every second of 32 random bytes, since half of the numbers are no point', () => {
    const random = fc.sample(bytesOf(32), { numRuns: 400, seed: 7 })
    const points = random.filter(isPublicKey).length
    expect(points).toBeGreaterThan(120)
    expect(points).toBeLessThan(280)
  })

  it('is not read from the PeerId of what is none', () => {
    // The PeerId of 32 zero bytes.
    expect(() => publicKeyOf('12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw')).toThrow('is no Ed25519 key')
  })
})
