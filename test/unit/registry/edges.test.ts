import { readFileSync } from 'node:fs'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { openEntry } from '../../../src/registry/objects/entry.ts'
import { openRecord } from '../../../src/registry/objects/record.ts'
import { verdict } from '../../helpers/signed-objects.ts'

const file: {
  networkId: string
  cases: { name: string; kind: string; verdict: 'opens' | 'refused'; envelope: string }[]
} = JSON.parse(readFileSync(new URL('../../fixtures/vectors/edges.json', import.meta.url), 'utf8'))
const bytesOf = (text: string): Uint8Array => fromString(text.slice('hex:'.length), 'hex')

describe('an object at the edge', () => {
  it.each(file.cases)('$kind, $name: $verdict', ({ kind, verdict: due, envelope }) => {
    const open = kind === 'log-entry' ? openEntry : openRecord
    const found = verdict(() => open(bytesOf(envelope), bytesOf(file.networkId)))
    expect(found).toBe(due === 'opens' ? 'opened' : 'InvalidPayloadError')
  })
})
