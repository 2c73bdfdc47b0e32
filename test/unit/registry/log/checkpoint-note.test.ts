import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { noteOrigin, noteText, noteVerifierKey, signNote } from '../../../../src/registry/log/checkpoint-note.ts'
import { openCheckpoint, sealCheckpoint } from '../../../../src/registry/objects/checkpoint.ts'
import { NotRootError } from '../../../../src/runtime/errors.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'
import { keyOf } from '../../../helpers/signed-objects.ts'

const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/^hex:/, ''), 'hex'))

it('a checkpoint makes the recorded note, and no recorded bad one', () => {
  const path = new URL('../../../fixtures/vectors/checkpoint-note.json', import.meta.url)
  const { networkId, origin, verifierKey, good, bad } = JSON.parse(readFileSync(path, 'utf8'))
  const id = unhex(networkId)
  expect(noteOrigin(id)).toBe(origin)
  expect(noteVerifierKey(id, keyOf(3).publicKey)).toBe(verifierKey)
  for (const { checkpoint, note } of good) {
    const signed = openCheckpoint(unhex(checkpoint), id)
    expect(signNote(signed, keyOf(3))).toBe(note)
    for (const each of bad) expect(each.note).not.toBe(note)
  }
})

it('the root gives its newest checkpoint as a note that its verifier key verifies', async () => {
  await using network = await RealNetwork.create()
  const { root, replica } = network.root
  const { checkpoint } = replica
  if (root === undefined || checkpoint === undefined) throw new Error('no root')
  const { note, verifierKey } = root.note(checkpoint)
  const [text = '', line = ''] = note.split('\n\n')
  expect(`${text}\n`).toBe(noteText(checkpoint))
  expect(text.split('\n')[1]).toBe(String(replica.head.n + 1))
  const key = Buffer.from(verifierKey.split('+').slice(2).join('+'), 'base64').subarray(1)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }
  const signature = Buffer.from(line.trim().split(' ')[2] ?? '', 'base64').subarray(4)
  expect(verify(null, Buffer.from(`${text}\n`), createPublicKey({ key: jwk, format: 'jwk' }), signature)).toBe(true)

  const foreign = sealCheckpoint(checkpoint.value, keyOf(9))
  expect(() => root.note(foreign)).toThrow(NotRootError)
})
