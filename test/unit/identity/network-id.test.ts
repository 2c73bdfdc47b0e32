import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  matchesFingerprint,
  networkFingerprint,
  networkIdText,
  parseNetworkId
} from '../../../src/identity/network-id.ts'
import { InvalidPayloadError } from '../../../src/runtime/errors.ts'
import { bytesOf, networkId, otherNetworkId } from '../../helpers/signed-objects.ts'

describe('network id', () => {
  it('leads from bytes to text and back', () => {
    fc.assert(
      fc.property(bytesOf(32), (id) => {
        const text = networkIdText(id)
        expect(text).toMatch(/^tn[a-z2-7]{52}$/)
        expect(parseNetworkId(text)).toEqual(id)
      })
    )
  })

  it('has one spelling only', () => {
    const text = networkIdText(networkId)
    const last = text.at(-1) ?? ''
    const spare = String.fromCharCode(last.charCodeAt(0) + 1)
    const wrong = [
      text.toUpperCase(),
      text.slice(0, -1),
      `${text}a`,
      text.slice(2),
      `xx${text.slice(2)}`,
      text.slice(0, -1) + spare
    ]
    for (const each of [...wrong, '', text.replace(/.$/, '1'), `tn${'='.repeat(52)}`]) {
      expect(() => parseNetworkId(each)).toThrow(InvalidPayloadError)
    }
  })

  it('is matched by a typed fingerprint, whatever case, spaces and dashes, and by no other', () => {
    const typed = networkFingerprint(networkId)
    expect(typed).toMatch(/^tn( [a-z2-7]{4}){8}$/)
    for (const text of [typed, typed.toUpperCase(), typed.replaceAll(' ', '-'), ` ${networkIdText(networkId)}\n`]) {
      expect(matchesFingerprint(networkId, text)).toBe(true)
      expect(matchesFingerprint(otherNetworkId, text)).toBe(false)
    }
    for (const text of ['', 'tn', typed.slice(0, -1), `${typed}a`, `${networkIdText(networkId).slice(0, -1)}1`]) {
      expect(matchesFingerprint(networkId, text)).toBe(false)
    }
  })
})
