import { describe, expect, it } from 'vitest'
import { isDomain, isName } from '../../../../src/identity/checked-bytes.ts'
import { openEntry, sealEntry } from '../../../../src/registry/objects/entry.ts'
import { domains } from '../../../../src/registry/objects/envelope.ts'
import { type Genesis, openGenesis, sealGenesis } from '../../../../src/registry/objects/genesis.ts'
import type { Grant } from '../../../../src/registry/objects/grant.ts'
import { openJoin } from '../../../../src/registry/objects/join.ts'
import { defaultPolicy, policyMessage } from '../../../../src/registry/objects/policy/policy.ts'
import { compareRecords, type NodeRecord, openRecord, sealRecord } from '../../../../src/registry/objects/record.ts'
import { openRotateRequest, sealRotateRequest } from '../../../../src/registry/objects/rotate.ts'
import {
  Admit,
  Genesis as GenesisMessage,
  Grant as GrantMessage,
  JoinRequest,
  LogEntry as LogEntryMessage,
  NodeRecord as NodeRecordMessage,
  RegistrySet,
  RotateRequest
} from '../../../../src/registry/pb/registry.ts'
import { InvalidPayloadError, UnsupportedVersionError } from '../../../../src/runtime/errors.ts'
import { aGenesis, aGrant, anEntry, aRecord, craft, keyOf, networkId } from '../../../helpers/signed-objects.ts'

const short = new Uint8Array(31)
const long = new Uint8Array(33)
const addr = '/ip6/2001:db8::1/tcp/9000'
const badNumbers = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
const badTimes = [...badNumbers, 253_402_300_800_000]
const badTexts = [
  'a\u0000',
  'a\nb',
  '\u001b[31m',
  'a\u007f',
  '\u009b',
  '\u202egnp',
  '\u200b',
  'e\u0301',
  '\ud800',
  '\ufffd',
  '\u2028'
]
const badNames = ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'ä', 'a b', 'x'.repeat(64), '../x']

describe('node record', () => {
  const bad: [string, Partial<NodeRecord>][] = [
    ['a short key', { publicKey: short }],
    ['a long registry key', { registryKey: long }],
    ['seq 0', { seq: 0 }],
    ...badNumbers.map((seq): [string, Partial<NodeRecord>] => [`seq ${seq}`, { seq }]),
    ...badTimes.map((issuedMs): [string, Partial<NodeRecord>] => [`time ${issuedMs}`, { issuedMs }]),
    ...badTexts.map((text): [string, Partial<NodeRecord>] => [`tag ${JSON.stringify(text)}`, { tags: [text] }]),
    ['9 addresses', { addrs: Array.from({ length: 9 }, () => addr) }],
    ['17 tags', { tags: Array.from({ length: 17 }, () => 'b') }],
    ['a long software text', { software: 'x'.repeat(65) }],
    ['9 roles', { roles: Array.from({ length: 9 }, () => 'root' as const) }],
    ...[
      '/ip4/127.0.0.1/tcp/1',
      '/ip6/::ffff:1.2.3.4/tcp/1',
      '/ip6/64:ff9b::102:304/tcp/1',
      '/ip6/2002:102:304::1/tcp/1',
      '/ip6/::/tcp/1',
      '/ip6/fe80::1/tcp/1',
      '/ip6/ff02::1/tcp/1',
      '/ip6zone/eth0/ip6/fe80::1/tcp/1',
      '/dns6/example.org/tcp/1',
      '/ip6/2001:db8::1',
      '/ip6/2001:db8::1/tcp/0',
      '/ip6/2001:db8::1/udp/1/quic-v1',
      '/ip6/2001:DB8::1/tcp/1',
      '/ip6/2001:db8:0::1/tcp/1',
      `${addr}/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X`,
      `${addr}/ws`,
      ''
    ].map((text): [string, Partial<NodeRecord>] => [`address '${text}'`, { addrs: [text] }])
  ]

  it.each(bad)('with %s is not sealed', (_, change) => {
    expect(() => sealRecord({ ...aRecord, ...change }, keyOf(4))).toThrow(InvalidPayloadError)
  })

  const good = { version: 1, networkId, publicKey: keyOf(4).publicKey, seq: 1 }
  const badMessages: [string, Partial<NodeRecordMessage>][] = [
    ['no seq', { seq: 0 }],
    ['a time that no calendar has', { issuedMs: 253_402_300_800_000 }],
    ['9 addresses', { addrs: Array.from({ length: 9 }, () => Uint8Array.of(0x29, ...new Uint8Array(15), 1, 6, 0, 1)) }],
    ['an IPv4 address', { addrs: [Uint8Array.of(4, 127, 0, 0, 1, 6, 0, 1)] }],
    ['a mapped IPv4 address', { addrs: [Uint8Array.of(0x29, ...new Uint8Array(10), 255, 255, 1, 2, 3, 4, 6, 0, 1)] }],
    ['a link-local address', { addrs: [Uint8Array.of(0x29, 0xfe, 0x80, ...new Uint8Array(13), 1, 6, 0, 1)] }],
    ['port 0', { addrs: [Uint8Array.of(0x29, ...new Uint8Array(15), 1, 6, 0, 0)] }],
    ['bytes that are no address', { addrs: [new Uint8Array(20)] }],
    ['an empty address', { addrs: [new Uint8Array(0)] }],
    ['a control character', { software: 'a\u001b[2J' }],
    ['a short registry key', { registryKey: short }],
    ['9 roles', { roles: Array.from({ length: 9 }, () => 1) }]
  ]

  it.each(badMessages)('with %s is not opened', (_, change) => {
    const bytes = craft(domains.nodeRecord, NodeRecordMessage, { ...good, ...change }, keyOf(4))
    expect(() => openRecord(bytes, networkId)).toThrow(InvalidPayloadError)
  })

  it('keeps what it knows when roles and reach are of a newer version', () => {
    const bytes = craft(domains.nodeRecord, NodeRecordMessage, { ...good, roles: [3, 99], reach: 77 }, keyOf(4))
    expect(openRecord(bytes, networkId).value).toMatchObject({ roles: ['integrated'], reach: 'unknown' })
  })

  it('is ordered by seq, then by hash', () => {
    const [low, high] = [new Uint8Array(32), new Uint8Array(32).fill(0xff)]
    expect(compareRecords({ seq: 2, hash: low }, { seq: 1, hash: high })).toBe(1)
    expect(compareRecords({ seq: 1, hash: low }, { seq: 1, hash: high })).toBe(-1)
    expect(compareRecords({ seq: 1, hash: high }, { seq: 1, hash: high.slice() })).toBe(0)
  })
})

describe('rotate request', () => {
  it('from a key to itself is neither sealed nor opened', () => {
    const { publicKey } = keyOf(4)
    const request = { networkId, oldKey: publicKey, newKey: publicKey }
    expect(() => sealRotateRequest(request, keyOf(4))).toThrow('old and new key are the same')
    const bytes = craft(domains.rotate, RotateRequest, { version: 1, ...request }, keyOf(4))
    expect(() => openRotateRequest(bytes, networkId)).toThrow('old and new key are the same')
  })
})

describe('genesis', () => {
  const { policy } = aGenesis
  const bad: [string, Partial<Genesis>][] = [
    ...[
      '',
      'Example.org',
      'example.org.',
      'a..b',
      '-a.org',
      '10.0.0.1',
      '::1',
      'a b.org',
      'ä.org',
      `${'a'.repeat(64)}.org`
    ].map((domain): [string, Partial<Genesis>] => [`domain '${domain}'`, { domain }]),
    ...badTexts.map((name): [string, Partial<Genesis>] => [`name ${JSON.stringify(name)}`, { name }]),
    ['no name', { name: '' }],
    ['one key for both', { logKey: aGenesis.authorityKey }],
    ['a short digest', { nextAuthorityDigest: short }],
    ['a long log key', { logKey: long }],
    ...badTimes.map((createdMs): [string, Partial<Genesis>] => [`time ${createdMs}`, { createdMs }]),
    ['a membership of 0', { policy: { ...policy, membershipMs: 0 } }],
    ['a membership of 101 years', { policy: { ...policy, membershipMs: 101 * 365 * 24 * 3600 * 1000 } }],
    ['acts that need two operators, of whom there are none', { policy: { ...policy, twoOperators: [3] } }],
    ['a negative quota', { policy: { ...policy, documentBytes: -1 } }]
  ]

  it.each(bad)('with %s is not sealed', (_, change) => {
    expect(() => sealGenesis({ ...aGenesis, ...change }, keyOf(1))).toThrow(InvalidPayloadError)
  })

  it('is refused without a policy, and by a program that does not know the policy', () => {
    const message = { ...aGenesis, version: 1, policy: policyMessage(policy) }
    expect(openGenesis(craft(domains.genesis, GenesisMessage, message, keyOf(1))).value).toEqual(aGenesis)
    const { policy: _, ...none } = message
    expect(() => openGenesis(craft(domains.genesis, GenesisMessage, none, keyOf(1)))).toThrow(InvalidPayloadError)
    const newer = { ...message, policy: { ...policyMessage(policy), admission: 9 } }
    expect(() => openGenesis(craft(domains.genesis, GenesisMessage, newer, keyOf(1)))).toThrow(UnsupportedVersionError)
  })
})

const aDocument = {
  id: 'a',
  documentVersion: 1,
  mediaType: 'text/plain',
  digest: networkId,
  sizeBytes: 1,
  publisherKey: networkId
}

const crafted = (kind: number, body: Uint8Array): Uint8Array =>
  craft(domains.logEntry, LogEntryMessage, { version: 1, networkId, n: 1, prevHash: networkId, kind, body }, keyOf(3))

describe('log entry', () => {
  const admit = { publicKey: keyOf(4).publicKey, name: 'alpha', role: 'external', notAfterMs: 1 } as const
  const bytes = Uint8Array.of(1)
  const contents: [string, object][] = [
    ...badNames.map((name): [string, object] => [
      `name '${name}'`,
      { kind: 'admit', body: { ...admit, name, via: 'founder' } }
    ]),
    ['an invite but no grant', { kind: 'admit', body: { ...admit, via: 'invite', join: bytes } }],
    ['an invite with a short id', { kind: 'admit', body: { ...admit, via: 'invite', join: bytes, grantId: bytes } }],
    [
      'an approval with a grant',
      { kind: 'admit', body: { ...admit, via: 'approved', join: bytes, grantId: aGrant.id } }
    ],
    ['an approval without a join request', { kind: 'admit', body: { ...admit, via: 'approved' } }],
    ['a founder with a join request', { kind: 'admit', body: { ...admit, via: 'founder', join: bytes } }],
    ['a renewal without a request', { kind: 'renew', body: { ...admit, request: new Uint8Array() } }],
    ['a reason of 257 characters', { kind: 'revoke', body: { ...admit, reason: 'x'.repeat(257) } }],
    ['a reason with a line break', { kind: 'revoke', body: { ...admit, reason: 'a\nb' } }],
    [
      'one key rotated to itself',
      { kind: 'rotate', body: { oldKey: networkId, newKey: networkId, proofOld: bytes, proofNew: bytes } }
    ],
    ['a registry of role integrated', { kind: 'registrySet', body: { ...admit, role: 'integrated', removed: false } }],
    ['a short log key', { kind: 'delegate', body: { logKey: short } }],
    ['a document of 257 KiB', { kind: 'publish', body: { ...aDocument, sizeBytes: 257 * 1024 } }],
    ['a document of version 0', { kind: 'publish', body: { ...aDocument, documentVersion: 0 } }],
    ['a document with a path as id', { kind: 'publish', body: { ...aDocument, id: '../etc' } }],
    ['a document with a broken type', { kind: 'publish', body: { ...aDocument, mediaType: 'text' } }],
    ['a revoke with a wrong name', { kind: 'revoke', body: { ...admit, reason: '', name: '-' } }],
    ['the end of no grant', { kind: 'grantEnd', body: { id: bytes, reason: '' } }],
    ['a policy without time', { kind: 'policy', body: { ...defaultPolicy, membershipMs: 0 } }],
    ['critical kinds that do not ascend', { kind: 'policy', body: { ...defaultPolicy, criticalKinds: [20, 20] } }],
    [
      'too many critical kinds',
      { kind: 'policy', body: { ...defaultPolicy, criticalKinds: Array.from({ length: 65 }, (_, i) => i) } }
    ],
    ['a known kind as unknown', { kind: 'unknown', kindNumber: 1, body: bytes }],
    ['the kind of the genesis', { kind: 'unknown', kindNumber: 0, body: bytes }]
  ]

  it.each(contents)('with %s is not sealed', (_, content) => {
    expect(() => sealEntry({ ...anEntry, ...content }, keyOf(3))).toThrow(InvalidPayloadError)
  })

  it.each([
    ['position 0', { n: 0 }],
    ['a broken hash', { prevHash: short }],
    ['a negative epoch', { epoch: -1 }],
    ['a time beyond the calendar', { timeMs: 253_402_300_800_000 }]
  ])('with %s is not sealed', (_, change) => {
    expect(() => sealEntry({ ...anEntry, ...change }, keyOf(3))).toThrow(InvalidPayloadError)
  })

  it('is refused when its body is damaged or not of its kind', () => {
    expect(() => openEntry(crafted(1, new Uint8Array()), networkId)).toThrow(InvalidPayloadError)
    expect(() => openEntry(crafted(1, Uint8Array.of(0x0a, 0xff)), networkId)).toThrow(InvalidPayloadError)
    expect(() => openEntry(crafted(0, Uint8Array.of(1)), networkId)).toThrow(InvalidPayloadError)
    const admission = Admit.encode({ ...admit, role: 4, via: 9 })
    expect(() => openEntry(crafted(1, admission), networkId)).toThrow(UnsupportedVersionError)
  })

  it('counts a role of a newer version as one that serves nobody', () => {
    const body = Admit.encode({ ...admit, role: 99, via: 0 })
    expect(openEntry(crafted(1, body), networkId).value).toMatchObject({ kind: 'admit', body: { role: 'external' } })
    const none = Admit.encode({ ...admit, role: 0, via: 0 })
    expect(() => openEntry(crafted(1, none), networkId)).toThrow('there is no role')
  })

  it.each([0, 3, 4, 9])('names no registry of role %i', (role) => {
    const set = RegistrySet.encode({ publicKey: keyOf(4).publicKey, role })
    expect(() => openEntry(crafted(5, set), networkId)).toThrow(InvalidPayloadError)
  })
})

describe('grant', () => {
  const bad: [string, Partial<Grant>][] = [
    ['a short id', { id: new Uint8Array(15) }],
    ['no use', { uses: 0 }],
    ['too many uses', { uses: 1_000_001 }],
    ['a group twice', { groups: ['a', 'a'] }],
    ['a group that is none', { groups: ['A'] }],
    ['too many groups', { groups: Array.from({ length: 17 }, (_, i) => `g${i + 10}`) }],
    ['a long note', { note: 'x'.repeat(129) }],
    ['a wrong name', { name: 'A' }],
    ['a wrong replaced name', { replaces: '-' }],
    ['a short key', { inviteKey: short }],
    ['a time beyond the calendar', { notAfterMs: 253_402_300_800_000 }]
  ]

  it.each(bad)('with %s is not sealed', (_, change) => {
    const entry = { ...anEntry, kind: 'grant', body: { ...aGrant, ...change } } as const
    expect(() => sealEntry(entry, keyOf(3))).toThrow(InvalidPayloadError)
  })

  it('with a wrong name is not opened', () => {
    const body = GrantMessage.encode({ ...aGrant, groups: [], role: 3, name: 'A' })
    expect(() => openEntry(crafted(12, body), networkId)).toThrow(InvalidPayloadError)
  })
})

describe('join request', () => {
  const good = { version: 1, networkId, publicKey: keyOf(4).publicKey, name: 'alpha', role: 3 }
  it.each([
    ['a name that is none', { name: 'Alpha' }],
    ['a grant id without proof', { grantId: new Uint8Array(16) }],
    ['a proof without key', { grantId: new Uint8Array(16), inviteSignature: new Uint8Array(64) }],
    ['a proof without grant id', { inviteSignature: new Uint8Array(64) }],
    [
      'a short grant id',
      { grantId: new Uint8Array(15), inviteKey: keyOf(7).publicKey, inviteSignature: new Uint8Array(64) }
    ],
    [
      'a short proof',
      { grantId: new Uint8Array(16), inviteKey: keyOf(7).publicKey, inviteSignature: new Uint8Array(63) }
    ]
  ])('with %s is not opened', (_, change) => {
    const bytes = craft(domains.join, JoinRequest, { ...good, ...change }, keyOf(4))
    expect(() => openJoin(bytes, networkId)).toThrow(InvalidPayloadError)
  })
})

describe('names and domains', () => {
  it('accepts labels and domains of DNS in lower case', () => {
    for (const name of ['a', '0', 'node-1', 'x'.repeat(63)]) expect(isName(name)).toBe(true)
    for (const domain of ['lan', 'example.org', 'xn--bcher-kva.example', '1.example'])
      expect(isDomain(domain)).toBe(true)
  })

  it('leaves room in a domain for the names under it', () => {
    const domain = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(57)}`
    expect([domain.length, isDomain(domain), isDomain(`${domain}d`)]).toEqual([240, true, false])
    expect(`_dnsaddr.tnr.${domain}`.length).toBeLessThanOrEqual(253)
  })
})
