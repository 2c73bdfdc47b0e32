import * as fc from 'fast-check'
import { SigningKey } from '../../src/identity/keys.ts'
import type { Role } from '../../src/identity/role.ts'
import type { AdmittedBy, LogEntry } from '../../src/registry/objects/entry.ts'
import { type Domain, seal } from '../../src/registry/objects/envelope.ts'
import type { Genesis } from '../../src/registry/objects/genesis.ts'
import type { Grant } from '../../src/registry/objects/grant.ts'
import { defaultPolicy, type Policy } from '../../src/registry/objects/policy/policy.ts'
import type { NodeRecord } from '../../src/registry/objects/record.ts'
import { type Service, sortedServices } from '../../src/registry/objects/service.ts'

/** Keys that are the same in every run: `keyOf(1)` is the key whose seed is 32 times 0x01. */
export const keyOf = (number: number): SigningKey => SigningKey.fromSeed(new Uint8Array(32).fill(number))

export const networkId = new Uint8Array(32).fill(0xaa)
export const otherNetworkId = new Uint8Array(32).fill(0xbb)

/** Seals whatever message, without the checks that the sealing functions make. */
export const craft = <M>(
  domain: Domain,
  codec: { encode(message: Partial<M>): Uint8Array },
  message: Partial<M>,
  key: SigningKey
): Uint8Array => seal(domain, codec.encode(message), key)

export const aGenesis: Genesis = {
  domain: 'example.org',
  name: 'Example',
  authorityKey: keyOf(1).publicKey,
  nextAuthorityDigest: new Uint8Array(32).fill(2),
  logKey: keyOf(3).publicKey,
  createdMs: 1_700_000_000_000,
  policy: defaultPolicy
}

/** A service of a record that nothing needs to answer behind. */
export const serviceNamed = (name: string): Service => ({ name, port: 80, protocol: 'tcp', tags: [], state: 'unknown' })

export const aRecord: NodeRecord = {
  networkId,
  publicKey: keyOf(4).publicKey,
  seq: 7,
  addrs: ['/ip6/2001:db8::1/tcp/9000', '/ip6/fd00::1/tcp/9000'],
  registryKey: keyOf(5).publicKey,
  roles: ['integrated'],
  services: [serviceNamed('web')],
  tags: ['rack-7'],
  software: 'trustnet/0.1.0',
  reach: 'direct',
  left: false,
  issuedMs: 1_700_000_000_000
}

export const aGrant: Grant = {
  id: new Uint8Array(16).fill(6),
  inviteKey: keyOf(7).publicKey,
  role: 'integrated',
  groups: [],
  uses: 1,
  notAfterMs: 1_700_003_600_000,
  note: ''
}

export const anEntry: LogEntry = {
  networkId,
  n: 1,
  prevHash: networkId,
  epoch: 0,
  timeMs: 1_700_000_000_000,
  kind: 'admit',
  body: {
    publicKey: keyOf(4).publicKey,
    name: 'alpha',
    role: 'root',
    notAfterMs: 1_800_000_000_000,
    via: 'founder'
  }
}

export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
export const anyKey = bytesOf(32).map((seed) => SigningKey.fromSeed(seed).publicKey)
export const anyHash = bytesOf(32)
export const anyTime = fc.integer({ min: 0, max: 253_402_300_799_999 })
export const anyRole = fc.constantFrom<Role>('root', 'secondary', 'integrated', 'external')
export const anyName = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
export const anyAddr = fc
  .tuple(
    fc.constantFrom('2001:db8:', 'fd00:', '2a00:1:'),
    fc.integer({ min: 1, max: 0xffff }),
    fc.integer({ min: 1, max: 65_535 })
  )
  .map(([prefix, host, port]) => `/ip6/${prefix}:${host.toString(16)}/tcp/${port}`)
/** Printable text, in and out of ASCII, in normal form C. */
export const anyText = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom('a', 'Z', '9', ' ', '-', '_', '/', 'é', '漢', '😀', 'ß'),
    minLength: min,
    maxLength: max
  })

/** The object of one field, or of none. */
const maybe = <T extends object>(field: fc.Arbitrary<T>): fc.Arbitrary<Partial<T>> =>
  fc.oneof(fc.constant<Partial<T>>({}), field)

const anyServices: fc.Arbitrary<Service[]> = fc
  .uniqueArray(
    fc.record({
      name: anyName,
      port: fc.integer({ min: 1, max: 65_535 }),
      protocol: fc.constantFrom('tcp', 'udp'),
      tags: fc.array(anyText(1, 12), { maxLength: 3 }),
      state: fc.constantFrom('unknown', 'passing', 'failing', 'maintenance')
    }),
    { maxLength: 5, selector: ({ name }) => name }
  )
  .map(sortedServices)

export const anyRecord: fc.Arbitrary<NodeRecord> = fc
  .tuple(
    fc.record({
      networkId: fc.constant(networkId),
      publicKey: fc.constant(keyOf(4).publicKey),
      seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      addrs: fc.array(anyAddr, { maxLength: 8 }),
      roles: fc.array(anyRole, { maxLength: 4 }),
      services: anyServices,
      tags: fc.array(anyText(1, 12), { maxLength: 8 }),
      software: anyText(0, 20),
      reach: fc.constantFrom('unknown', 'direct', 'outbound'),
      left: fc.boolean(),
      issuedMs: anyTime
    }),
    maybe(fc.record({ registryKey: anyKey })),
    maybe(fc.record({ relayKeys: fc.constant([keyOf(5).publicKey, keyOf(6).publicKey].slice()) }))
  )
  .map(([record, key, relayKeys]) => ({ ...record, ...key, ...relayKeys }))

const anyGroups = fc.uniqueArray(anyName, { maxLength: 4 }).map((names) => names.toSorted())
const anyEphemeral = fc.record({ ephemeralMs: fc.integer({ min: 1000, max: 3_000_000_000_000 }) })

export const anyGrant: fc.Arbitrary<Grant> = fc
  .tuple(
    fc.record({
      id: bytesOf(16),
      inviteKey: anyKey,
      role: anyRole,
      groups: anyGroups,
      uses: fc.integer({ min: 1, max: 100_000 }),
      notAfterMs: anyTime,
      note: anyText(0, 40)
    }),
    maybe(fc.record({ name: anyName })),
    maybe(fc.record({ replaces: anyName })),
    maybe(anyEphemeral)
  )
  .map(([grant, name, replaces, ephemeral]) => ({ ...grant, ...name, ...replaces, ...ephemeral }))

const varint = (value: bigint): number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)]

/** Well-formed protobuf fields with ascending numbers from `from` on: what a newer version may write. */
export const anyFields = (from: number): fc.Arbitrary<Uint8Array> => {
  const value = fc.oneof(
    fc.bigInt(0n, 2n ** 64n - 1n).map((number) => ({ type: 0, bytes: varint(number) })),
    bytesOf(8).map((bytes) => ({ type: 1, bytes: [...bytes] })),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ type: 2, bytes: [bytes.length, ...bytes] })),
    bytesOf(4).map((bytes) => ({ type: 5, bytes: [...bytes] }))
  )
  const field = fc.tuple(fc.integer({ min: from, max: 2 ** 29 - 1 }), value)
  return fc.array(field, { maxLength: 4 }).map((fields) => {
    const sorted = fields.toSorted(([a], [b]) => a - b)
    return Uint8Array.from(
      sorted.flatMap(([number, { type, bytes }]) => [...varint(BigInt(number) * 8n + BigInt(type)), ...bytes])
    )
  })
}

const someBytes = fc.uint8Array({ minLength: 1, maxLength: 400 })

const anyAdmit = fc
  .tuple(
    fc.record({ publicKey: anyKey, name: anyName, role: anyRole, notAfterMs: anyTime }),
    fc.constantFrom<AdmittedBy>('founder', 'invite', 'approved', 'open'),
    bytesOf(16),
    someBytes,
    maybe(fc.record({ receipt: someBytes })),
    maybe(
      fc
        .tuple(
          anyGroups.filter(({ length }) => length > 0),
          anyEphemeral
        )
        .map(([groups, each]) => ({ groups, ...each }))
    )
  )
  .map(([admit, via, grantId, join, receipt, given]) => ({
    ...admit,
    via,
    ...(via === 'invite' && { grantId }),
    ...(via !== 'founder' && { join, ...receipt }),
    ...given
  }))

const contentOf = <K extends string, B>(kind: K, body: fc.Arbitrary<B>): fc.Arbitrary<{ kind: K; body: B }> =>
  body.map((each) => ({ kind, body: each }))

const anyGroup = fc.oneof(fc.constant('*'), anyName)
const anyRule = fc.record({ from: anyGroup, to: anyGroup, service: anyGroup })

const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  admission: fc.constantFrom('invite', 'approve', 'open'),
  membershipMs: fc.integer({ min: 1000, max: 3_000_000_000_000 }),
  documentBytes: fc.integer({ min: 0, max: 2 ** 40 }),
  openGrants: fc.integer({ min: 0, max: 100_000 }),
  grantUses: fc.integer({ min: 1, max: 1_000_000 }),
  grantMs: fc.integer({ min: 1000, max: 3_000_000_000_000 }),
  nameHoldMs: fc.integer({ min: 0, max: 3_000_000_000_000 }),
  returnGraceMs: fc.integer({ min: 0, max: 3_000_000_000_000 }),
  witnessGraceMs: fc.integer({ min: 1_000, max: 3_000_000_000_000 }),
  witnesses: fc.integer({ min: 0, max: 16 }),
  criticalKinds: fc
    .uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 5 })
    .map((kinds) => kinds.toSorted((a, b) => a - b)),
  twoOperators: fc
    .uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 5 })
    .map((kinds) => kinds.toSorted((a, b) => a - b)),
  rules: fc.array(anyRule, { maxLength: 4 }),
  tests: fc.array(fc.record({ from: anyGroup, to: anyGroup, service: anyName, allowed: fc.boolean() }), {
    maxLength: 4
  }),
  publishing: fc.constantFrom('named', 'registries', 'root'),
  relaying: fc.constantFrom('members', 'registries', 'nobody'),
  witnessKeys: fc.constant([])
})

const anyContent = fc.oneof(
  contentOf('admit', anyAdmit),
  contentOf('renew', fc.record({ publicKey: anyKey, notAfterMs: anyTime, request: someBytes })),
  contentOf('revoke', fc.record({ publicKey: anyKey, reason: anyText(0, 40) })),
  contentOf('revoke', fc.record({ publicKey: anyKey, reason: anyText(0, 40), name: anyName })),
  contentOf(
    'rotate',
    fc
      .record({ oldKey: anyKey, newKey: anyKey, proofOld: someBytes, proofNew: someBytes })
      .filter(({ oldKey, newKey }) => Buffer.compare(oldKey, newKey) !== 0)
  ),
  contentOf(
    'registrySet',
    fc.record({ publicKey: anyKey, role: fc.constantFrom<Role>('root', 'secondary'), removed: fc.boolean() })
  ),
  contentOf('delegate', fc.record({ logKey: anyKey })),
  contentOf('authority', fc.record({ authorityKey: fc.constant(keyOf(1).publicKey), nextAuthorityDigest: anyHash })),
  contentOf('publisher', fc.record({ publicKey: anyKey, removed: fc.boolean() })),
  contentOf(
    'publish',
    fc.record({
      id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/),
      documentVersion: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      mediaType: fc.constantFrom('text/plain', 'application/vnd.trustnet+json', 'text/plain; charset=utf-8'),
      digest: anyHash,
      sizeBytes: fc.integer({ min: 0, max: 256 * 1024 }),
      publisherKey: anyKey
    })
  ),
  contentOf('retire', fc.record({ id: fc.constant('policy.v1'), reason: anyText(0, 40) })),
  contentOf('policy', anyPolicy),
  contentOf('grant', anyGrant),
  contentOf('grantEnd', fc.record({ id: bytesOf(16), reason: anyText(0, 40) })),
  contentOf('change', fc.record({ publicKey: anyKey, name: anyName, role: anyRole, groups: anyGroups })),
  contentOf('end', fc.record({ publicKey: anyKey, reason: anyText(0, 40) })),
  contentOf('end', fc.record({ publicKey: anyKey, reason: anyText(0, 40), request: someBytes })),
  contentOf('operator', fc.record({ publicKey: anyKey, name: anyName, removed: fc.boolean() })),
  fc
    .tuple(fc.integer({ min: 64, max: 0xffff_ffff }), anyFields(1))
    .map(([kindNumber, body]) => ({ kind: 'unknown' as const, kindNumber, body }))
)

/** Every kind of entry; those that name their signer name `keyOf(1)`. */
export const anyEntry: fc.Arbitrary<LogEntry> = fc
  .tuple(
    fc.record({
      networkId: fc.constant(networkId),
      n: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      prevHash: anyHash,
      epoch: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      timeMs: anyTime
    }),
    anyContent
  )
  .map(([position, content]) => ({ ...position, ...content }))

/** `opened`, or the name of the error: for tables of many cases. */
export function verdict(open: () => unknown): string {
  try {
    open()
    return 'opened'
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}
