import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { noteVerifierKey, signNote } from '../../../../src/registry/log/checkpoint-note.ts'
import { openCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import { cosign, isCosigned, readCosignature } from '../../../../src/registry/witness/cosignature.ts'
import {
  cosignatureLine,
  readNoteLines,
  readVerifierKey,
  witnessVerifierKey
} from '../../../../src/registry/witness/note-lines.ts'
import { InvalidPayloadError } from '../../../../src/runtime/errors.ts'
import { OutsideWitness } from '../../../helpers/servers/outside-witness.ts'
import { keyOf } from '../../../helpers/signed-objects.ts'

const revive = (_: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('hex:') ? fromString(value.slice(4), 'hex') : value
const bytes = z.instanceof(Uint8Array)
const named = z.object({ name: z.string(), cosignature: bytes })
const file = z
  .object({
    networkId: bytes,
    checkpoint: bytes,
    good: z.array(named.extend({ seed: bytes, timeMs: z.number(), line: z.string(), verifierKey: z.string() })),
    bad: z.array(named.extend({ error: z.string() }))
  })
  .parse(
    JSON.parse(readFileSync(new URL('../../../fixtures/vectors/cosignature.json', import.meta.url), 'utf8'), revive)
  )
const checkpoint = openCheckpoint(file.checkpoint, file.networkId)

it.each(file.good)('the vector $name is made and taken', async ({ seed, timeMs, cosignature, line, verifierKey }) => {
  const key = SigningKey.fromSeed(seed)
  expect(cosign(checkpoint, key, timeMs)).toEqual(cosignature)
  const word = readCosignature(cosignature)
  expect(word.witness).toEqual(key.publicKey)
  expect(word.seconds).toBe(Math.floor(timeMs / 1_000))
  await expect(isCosigned(checkpoint, word)).resolves.toBe(true)
  expect(cosignatureLine(file.networkId, word)).toBe(line)
  expect(witnessVerifierKey(file.networkId, key.publicKey)).toBe(verifierKey)
})

it.each(file.bad)('the vector $name is refused', async ({ error, cosignature }) => {
  if (error === 'InvalidPayloadError') expect(() => readCosignature(cosignature)).toThrow(InvalidPayloadError)
  else await expect(isCosigned(checkpoint, readCosignature(cosignature))).resolves.toBe(false)
})

const logKey = keyOf(3)
const noteWith = (...lines: string[]): string => `${signNote(checkpoint, logKey)}${lines.join('')}`
const goodLines = file.good.map(({ line }) => line)

const witnesses = file.good.map(({ seed }) => SigningKey.fromSeed(seed).publicKey)

it('gives back what stands in a note, and leaves lines of others out', () => {
  const foreign = '\u2014 example.org/elsewhere AAAA\n'
  const read = readNoteLines(noteWith(foreign, ...goodLines), checkpoint, witnesses)
  expect(read?.map((each) => each.bytes)).toEqual(file.good.map(({ cosignature }) => cosignature))
  expect(readNoteLines(noteWith(...goodLines), checkpoint, [keyOf(9).publicKey])).toEqual([])
  expect(readNoteLines(noteWith(...goodLines).replace('epoch 1', 'epoch 2'), checkpoint, witnesses)).toBeUndefined()
})

it('takes lines and verifier keys of a witness that calls itself as it likes', async () => {
  const outside = new OutsideWitness('witness.example.org/w1')
  const publicKey = readVerifierKey(outside.verifierKey)
  const [word] = readNoteLines(outside.sign(noteWith(...goodLines), 1_800_000_000), checkpoint, [publicKey]) ?? []
  expect(word).toMatchObject({ witness: publicKey, seconds: 1_800_000_000 })
  await expect(word && isCosigned(checkpoint, word)).resolves.toBe(true)
})

it.each(['', 'name', 'name+00000000+BAAA', `name+1234567g+${'A'.repeat(44)}`])('%j is no verifier key', (text) => {
  expect(() => readVerifierKey(text)).toThrow(/a verifier key of a witness is NAME\+HASH\+KEY/)
})

it('a verifier key with another name, or of the kind of logs, is none of a witness', () => {
  const { verifierKey } = new OutsideWitness('witness.example.org/w1')
  expect(() => readVerifierKey(verifierKey.replace('w1', 'w2'))).toThrow(InvalidPayloadError)
  expect(() => readVerifierKey(noteVerifierKey(file.networkId, logKey.publicKey))).toThrow(InvalidPayloadError)
})

/**
 * A verifier of cosigned notes that is written from https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature alone: true when the line with
 * the name of the verifier key is its signature over the note.
 */
function verifiesNote(note: string, verifierKey: string): boolean {
  const [, name = '', hash = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey) ?? []
  const key = Buffer.from(encoded, 'base64')
  const keyId = createHash('sha256').update(`${name}\n`).update(key).digest().subarray(0, 4)
  if (keyId.toString('hex') !== hash || key[0] !== 4) return false
  const end = note.lastIndexOf('\n\n')
  const text = note.slice(0, end + 1)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.subarray(1).toString('base64url') }
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  return note
    .slice(end + 2)
    .split('\n')
    .some((line) => {
      const [dash, signer, given = ''] = line.split(' ')
      const blob = Buffer.from(given, 'base64')
      if (dash !== '\u2014' || signer !== name || !blob.subarray(0, 4).equals(keyId)) return false
      const message = `cosignature/v1\ntime ${blob.readBigUInt64BE(4)}\n${text}`
      return verify(null, Buffer.from(message), publicKey, blob.subarray(12))
    })
}

it('is taken by a verifier that knows the C2SP documents alone', () => {
  const note = noteWith(...goodLines)
  for (const { verifierKey } of file.good) {
    expect(verifiesNote(note, verifierKey)).toBe(true)
    expect(verifiesNote(note.replace('\n123\n', '\n124\n'), verifierKey)).toBe(false)
    expect(verifiesNote(signNote(checkpoint, logKey), verifierKey)).toBe(false)
  }
})
