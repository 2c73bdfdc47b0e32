import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { sha256 } from '../../../../src/identity/hash.ts'
import type { Grant } from '../../../../src/registry/objects/grant.ts'
import { decodeInvite, encodeInvite, type Invite } from '../../../../src/registry/objects/invite.ts'
import {
  checkInviteProof,
  checkInviteProofAsync,
  checkJoinAgainstGrant,
  grantIdShown,
  makeJoin,
  openJoin
} from '../../../../src/registry/objects/join.ts'
import { Invite as InviteMessage } from '../../../../src/registry/pb/registry.ts'
import { InvalidPayloadError, InviteInvalidError } from '../../../../src/runtime/errors.ts'
import { aGrant, anyAddr, anyGrant, keyOf, networkId } from '../../../helpers/signed-objects.ts'

const inviteKey = keyOf(7)
const place = { epoch: 2, n: 7, hash: new Uint8Array(32).fill(9) }
const invite: Invite = {
  domain: 'example.org',
  networkId,
  registries: [{ publicKey: keyOf(5).publicKey, addrs: ['/ip6/2001:db8::5/tcp/8000', '/ip6/fd00::5/tcp/8000'] }],
  grant: { id: aGrant.id, role: aGrant.role, notAfterMs: aGrant.notAfterMs, ...place },
  inviteKey
}

/** Two keys are the same when their seeds are, which they do not show. */
const plain = (of: Invite): object => ({ ...of, inviteKey: of.inviteKey.seed })

describe('invite line', () => {
  let line: string
  beforeAll(() => {
    line = encodeInvite(invite)
  })

  it('is one line of letters, digits, - and _ that leads back to the invite', () => {
    expect(line).toMatch(/^tnet1[A-Za-z0-9_-]+$/)
    expect(line.length).toBeLessThan(400)
    expect(plain(decodeInvite(line))).toEqual(plain(invite))
  })

  it('leads back whatever the grant and the registries are', () => {
    const anyRegistry = fc.record({
      publicKey: fc.constant(keyOf(5).publicKey),
      addrs: fc.array(anyAddr, { maxLength: 8 })
    })
    fc.assert(
      fc.property(anyGrant, fc.array(anyRegistry, { maxLength: 16 }), (value, registries) => {
        const { id, role, name, notAfterMs } = value
        const shown = { id, role, notAfterMs, ...place, ...(name !== undefined && { name }) }
        const given = { ...invite, registries, grant: shown }
        expect(plain(decodeInvite(encodeInvite(given)))).toEqual(plain(given))
      }),
      { numRuns: 30 }
    )
  })

  it('may be broken by spaces and line ends on its way', () => {
    const broken = `  ${line.replaceAll(/(.{60})/g, '$1\r\n\t')} \n`
    expect(plain(decodeInvite(broken))).toEqual(plain(invite))
  })

  it('says that its end is missing wherever it was cut', () => {
    for (let end = 'tnet1'.length; end < line.length; end++) {
      expect(() => decodeInvite(line.slice(0, end))).toThrow('the end of the invite is missing')
    }
  })

  it('is refused with any one character wrong, left out or doubled', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: line.length - 1 }),
        fc.constantFrom('a', 'Z', '0', '-', '_', '=', '.', 'é', ' '),
        (at, char) => {
          const rest = line.slice(at + 1)
          const wrong = [
            line.slice(0, at) + char + rest,
            line.slice(0, at) + rest,
            line.slice(0, at + 1) + line.slice(at)
          ]
          for (const text of wrong) {
            if (text.replaceAll(' ', '') === line || (text.length < line.length && `${text}${line.at(-1)}` === line))
              continue
            expect(() => decodeInvite(text)).toThrow(InviteInvalidError)
          }
        }
      )
    )
  })

  it('says when it is none, of a newer version, or far too long', () => {
    for (const text of ['', 'hello', 'tne', '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X']) {
      expect(() => decodeInvite(text)).toThrow('no invite: the line begins with tnet1')
    }
    expect(() => decodeInvite(`tnet2${line.slice(5)}`)).toThrow('of a newer version')
    expect(() => decodeInvite('tnet1'.padEnd(20_000, 'A'))).toThrow('too long')
    expect(() => decodeInvite(`${line}AAAA`)).toThrow('wrong character')
  })

  it('with a right checksum is refused for what it says: a newer version, too many registries, a key that is none', () => {
    const crafted = (changes: object): string => {
      const body = InviteMessage.encode({
        ...InviteMessage.decode(Buffer.from(line.slice(5), 'base64url').subarray(2, -4)),
        ...changes
      })
      const length = Uint8Array.of(body.length >> 8, body.length & 0xff)
      return `tnet1${Buffer.concat([length, body, sha256(body).subarray(0, 4)]).toString('base64url')}`
    }
    expect(plain(decodeInvite(crafted({})))).toEqual(plain(invite))
    const registry = { publicKey: keyOf(5).publicKey, addrs: [] }
    const refused: [object, string][] = [
      [{ version: 2 }, 'of a newer version: update this program'],
      [{ registries: Array.from({ length: 17 }, () => registry) }, 'at most 16 registries with 8 addresses each'],
      [{ registries: [{ ...registry, publicKey: new Uint8Array(31) }] }, 'the invite is not valid: registry key'],
      [{ seed: new Uint8Array(31) }, 'the invite is not valid'],
      [{ registries: [{ ...registry, addrs: [Uint8Array.of(1)] }] }, 'the invite is not valid']
    ]
    for (const [changes, answer] of refused) {
      expect(() => decodeInvite(crafted(changes))).toThrow(InviteInvalidError)
      expect(() => decodeInvite(crafted(changes))).toThrow(answer)
    }
  })

  it('throws nothing but InviteInvalidError for whatever text', () => {
    fc.assert(
      fc.property(fc.string(), fc.base64String(), (text, base64) => {
        expect(() => decodeInvite(`tnet1${text}`)).toThrow(InviteInvalidError)
        expect(() => decodeInvite(`tnet1${base64}`)).toThrow(InviteInvalidError)
      })
    )
  })

  it('is not made of parts that do not fit each other', () => {
    expect(() => encodeInvite({ ...invite, domain: 'no domain' })).toThrow(InvalidPayloadError)
    const without = { ...invite.grant, hash: new Uint8Array(31) }
    expect(() => encodeInvite({ ...invite, grant: without })).toThrow('entry hash of the invite')
    const many = Array.from({ length: 17 }, () => ({ publicKey: keyOf(5).publicKey, addrs: [] }))
    expect(() => encodeInvite({ ...invite, registries: many })).toThrow('at most 16 registries')
  })
})

describe('join request with an invite', () => {
  const me = keyOf(4)
  const init = { networkId, key: me, name: 'alpha', role: 'integrated', timeMs: 1_700_000_000_000 } as const
  const joinWith = (grant: Grant, by = inviteKey) =>
    openJoin(makeJoin({ ...init, grant, inviteKey: by }), networkId).value

  it('fits the grant that it uses', async () => {
    const join = joinWith(aGrant)
    expect(() => checkInviteProof(join)).not.toThrow()
    await expect(checkInviteProofAsync(join)).resolves.toBeUndefined()
    expect(() => checkJoinAgainstGrant(join, aGrant)).not.toThrow()
    expect(() => checkJoinAgainstGrant(join, { ...aGrant, name: 'alpha' })).not.toThrow()
  })

  it.each<[string, Partial<Grant>, string]>([
    ['another id', { id: new Uint8Array(16) }, 'does not use this grant'],
    ['another invite key', { inviteKey: keyOf(8).publicKey }, 'the proof of the invite is by another key'],
    ['another role', { role: 'secondary' }, 'for the role secondary, not integrated'],
    ['another name', { name: 'beta' }, 'for the name beta, not alpha']
  ])('is refused for a grant with %s', (_, change, message) => {
    const other = { ...aGrant, ...change }
    expect(() => checkJoinAgainstGrant(joinWith(aGrant), other)).toThrow(InviteInvalidError)
    expect(() => checkJoinAgainstGrant(joinWith(aGrant), other)).toThrow(message)
  })

  it('is refused without an invite, and with a proof by another key than the invite holds', async () => {
    const without = openJoin(makeJoin(init), networkId).value
    expect(without.grantId).toBeUndefined()
    expect(() => checkInviteProof(without)).not.toThrow()
    await expect(checkInviteProofAsync(without)).resolves.toBeUndefined()
    expect(() => checkJoinAgainstGrant(without, aGrant)).toThrow('does not use this grant')
    expect(() => checkJoinAgainstGrant(joinWith(aGrant, keyOf(8)), aGrant)).toThrow('by another key')
  })

  it('lends its proof to no other key', async () => {
    const stolen = joinWith(aGrant).inviteSignature
    const thief = openJoin(makeJoin({ ...init, key: keyOf(9), grant: aGrant, inviteKey }), networkId).value
    const forged = { ...thief, ...(stolen !== undefined && { inviteSignature: stolen }) }
    expect(() => checkInviteProof(forged)).toThrow('the proof of the invite is wrong')
    await expect(checkInviteProofAsync(forged)).rejects.toThrow('the proof of the invite is wrong')
  })

  it('is not made with half an invite', () => {
    expect(() => makeJoin({ ...init, grant: aGrant })).toThrow(InvalidPayloadError)
  })

  it('names its invite also before it is verified, and other bytes name none', () => {
    const bytes = makeJoin({ ...init, grant: aGrant, inviteKey })
    expect(grantIdShown(bytes)).toEqual(aGrant.id)
    expect(grantIdShown(makeJoin(init))).toBeUndefined()
    expect(grantIdShown(bytes.subarray(0, 40))).toBeUndefined()
    expect(grantIdShown(new Uint8Array(5000))).toBeUndefined()
  })
})
