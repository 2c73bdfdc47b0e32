import { inspect } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import * as fc from 'fast-check'
import { fromString } from 'uint8arrays/from-string'
import { toString as bytesToText } from 'uint8arrays/to-string'
import { describe, expect, it } from 'vitest'
import {
  peerIdText,
  publicKeyOf,
  publicKeyOfPeerId,
  SigningKey,
  verifySignature,
  verifySignatureAsync
} from '../../../src/identity/keys.ts'
import { InvalidPayloadError } from '../../../src/runtime/errors.ts'
import { bytesOf, keyOf } from '../../helpers/signed-objects.ts'

describe('SigningKey', () => {
  it('makes the key and signature of RFC 8032, test 3', () => {
    const key = SigningKey.fromSeed(
      fromString('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'hex')
    )
    expect(bytesToText(key.publicKey, 'hex')).toBe('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025')
    expect(bytesToText(key.sign(Uint8Array.of(0xaf, 0x82)), 'hex')).toBe(
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'
    )
  })

  it('is the same key in libp2p', async () => {
    const key = SigningKey.generate()
    const libp2p = key.toLibp2p()
    expect(libp2p.type).toBe('Ed25519')
    expect(libp2p.publicKey.raw).toEqual(key.publicKey)
    const bytes = fromString('what is signed')
    expect(Uint8Array.from(await libp2p.sign(bytes))).toEqual(key.sign(bytes))
    expect(peerIdFromPrivateKey(libp2p).toString()).toBe(peerIdText(key.publicKey))
  })

  it('never shows its seed', () => {
    const key = keyOf(0x5e)
    for (const text of [inspect(key, { showHidden: true, depth: 9 }), JSON.stringify(key)]) {
      expect(text).not.toMatch(/5e5e5e|94, ?94|94,\s*94/)
    }
    expect(SigningKey.fromSeed(key.seed).publicKey).toEqual(key.publicKey)
  })

  it('cannot be changed through what it gave or was given', () => {
    const seed = new Uint8Array(32).fill(9)
    const key = SigningKey.fromSeed(seed)
    seed.fill(0)
    key.seed.fill(0)
    expect(key.seed).toEqual(new Uint8Array(32).fill(9))
  })

  it('refuses a seed of another length', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(() => SigningKey.fromSeed(new Uint8Array(length))).toThrow(InvalidPayloadError)
    }
  })
})

describe('verifySignature', () => {
  it('accepts only the key, the bytes and the signature that belong together', async () => {
    const bytes = fromString('bytes')
    const signature = keyOf(1).sign(bytes)
    const cases: [Uint8Array, Uint8Array, Uint8Array, boolean][] = [
      [keyOf(1).publicKey, bytes, signature, true],
      [keyOf(2).publicKey, bytes, signature, false],
      [keyOf(1).publicKey, fromString('bytez'), signature, false],
      [keyOf(1).publicKey, bytes, signature.subarray(1), false],
      [keyOf(1).publicKey, bytes, new Uint8Array(64), false],
      [new Uint8Array(31), bytes, signature, false],
      [new Uint8Array(33), bytes, signature, false],
      [new Uint8Array(32).fill(0xff), bytes, signature, false]
    ]
    for (const [key, signed, by, valid] of cases) {
      expect(verifySignature(key, signed, by)).toBe(valid)
      expect(await verifySignatureAsync(key, signed, by)).toBe(valid)
    }
  })

  it('refuses keys under which anybody can sign', () => {
    // R = B and S = 1 fit every message when the key is the neutral element.
    const base = fromString('5866666666666666666666666666666666666666666666666666666666666666', 'hex')
    const one = new Uint8Array(32)
    one[0] = 1
    const forged = Uint8Array.from([...base, ...one])
    for (const sign of [0, 0x80]) {
      const neutral = new Uint8Array(32)
      neutral[0] = 1
      neutral[31] = sign
      expect(verifySignature(neutral, fromString('anything'), forged)).toBe(false)
    }
  })

  it('goes on to verify when more keys were seen than it keeps', () => {
    const bytes = fromString('bytes')
    const signature = keyOf(1).sign(bytes)
    const other = new Uint8Array(32)
    for (let i = 0; i < 10_001; i++) {
      new DataView(other.buffer).setUint32(0, i)
      verifySignature(other, bytes, signature)
    }
    expect(verifySignature(keyOf(1).publicKey, bytes, signature)).toBe(true)
  })
})

describe('PeerId', () => {
  it('is the same text as in libp2p, and leads back to the key', () => {
    fc.assert(
      fc.property(bytesOf(32), (seed) => {
        const { publicKey } = SigningKey.fromSeed(seed)
        const text = peerIdText(publicKey)
        expect(text).toMatch(/^12D3KooW.{44}$/)
        expect(publicKeyOf(text)).toEqual(publicKey)
        expect(publicKeyOfPeerId(peerIdFromString(text))).toEqual(publicKey)
      })
    )
  })

  it('is refused in other forms, of other key types, mistyped or cut', async () => {
    const text = peerIdText(keyOf(1).publicKey)
    const others = await Promise.all([generateKeyPair('secp256k1'), generateKeyPair('RSA', 2048)])
    const otherIds = others.map(peerIdFromPrivateKey)
    const cid = peerIdFromString(text).toCID().toString()
    const wrong = ['', text.slice(1), `${text}1`, `1${text}`, text.replace('W', '0'), `2${text.slice(1)}`, cid]
    for (const each of [...wrong, ...otherIds.map(String), '12D3KooW'.padEnd(52, '0')]) {
      expect(() => publicKeyOf(each)).toThrow(InvalidPayloadError)
    }
    for (const each of otherIds) expect(() => publicKeyOfPeerId(each)).toThrow('not Ed25519')
    expect(() => peerIdText(new Uint8Array(31))).toThrow(InvalidPayloadError)
  })
})
