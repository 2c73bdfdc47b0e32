// Makes the test vectors of signed objects: test/fixtures/vectors/*.json, from fixed seeds, so a second run writes the same.
// Run after `npm run build`. Vectors of a released version never change: what it signed must open for ever.

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { privateKeyFromRaw, publicKeyToProtobuf } from '@libp2p/crypto/keys'

const source = new URL('../dist/src/', import.meta.url)
const load = (name) => import(new URL(`${name}.js`, source).href)
const [
  keys,
  envelope,
  pb,
  genesis,
  entry,
  checkpoint,
  record,
  policy,
  join,
  receipt,
  renew,
  forget,
  rotate,
  order,
  storeManifest,
  invite,
  addrs,
  notes,
  cosignature,
  noteLines
] = await Promise.all(
  [
    'identity/keys',
    'registry/objects/envelope',
    'registry/pb/registry',
    'registry/objects/genesis',
    'registry/objects/entry',
    'registry/objects/checkpoint',
    'registry/objects/record',
    'registry/objects/policy/policy',
    'registry/objects/join',
    'registry/objects/receipt',
    'registry/objects/renew-request',
    'registry/objects/forget-request',
    'registry/objects/rotate',
    'registry/objects/orders/order',
    'registry/objects/store-manifest',
    'registry/objects/invite',
    'address/multiaddr',
    'registry/log/checkpoint-note',
    'registry/witness/cosignature',
    'registry/witness/note-lines'
  ].map(load)
)
const { domains, seal, openEnvelope } = envelope

const keyOf = (number) => keys.SigningKey.fromSeed(new Uint8Array(32).fill(number))
const bytes = (length, fill) => new Uint8Array(length).fill(fill)
const [authority, nextAuthority, log, root, joiner, inviteKey, other, operator, second] = [
  1, 2, 3, 4, 5, 6, 7, 8, 9
].map(keyOf)
const time = 1_790_000_000_000

const toJson = (value) => JSON.stringify(value, (_, each) => plain(each), 2)
const plain = (value) => (value instanceof Uint8Array ? `hex:${Buffer.from(value).toString('hex')}` : value)

const theGenesis = genesis.sealGenesis(
  {
    domain: 'example.org',
    name: 'Example',
    authorityKey: authority.publicKey,
    nextAuthorityDigest: new Uint8Array(await crypto.subtle.digest('SHA-256', nextAuthority.publicKey)),
    logKey: log.publicKey,
    createdMs: time,
    policy: policy.defaultPolicy
  },
  authority
)
const networkId = theGenesis.hash

const craft = (domain, codec, message, key) => seal(domain, codec.encode(message), key)
const flip = (given, at) => given.with(at, given[at] ^ 1)
const repack = (given, change) => pb.Envelope.encode({ ...pb.Envelope.decode(given), ...change })
const resign = (domain, given, key, change) => seal(domain, change(openEnvelope(domain, given).payload), key)
const good = (name, key, signed) => ({
  name,
  seed: key.seed,
  value: signed.value,
  envelope: signed.bytes,
  hash: signed.hash
})
const bad = (name, error, given) => ({ name, error, envelope: given })

/** Fields behind the known ones that are no well-formed fields of a newer version. */
const badFields = [
  { name: 'a known field again behind the others', more: [8, 1] },
  { name: 'field number 0 behind the others', more: [0, 1] },
  { name: 'field number 2^29 behind the others', more: [0x80, 0x80, 0x80, 0x80, 0x10, 1] },
  { name: 'a varint of 11 bytes in a newer field', more: [0xb8, 0xbe, 0x3d, ...bytes(10, 0x80), 1] },
  { name: 'a varint of more than 64 bits in a newer field', more: [0xb8, 0xbe, 0x3d, ...bytes(9, 0xff), 2] },
  { name: 'a number in a newer field that is not in its shortest form', more: [0xb8, 0xbe, 0x3d, 0x81, 0] },
  { name: 'a tag of a newer field that is not in its shortest form', more: [0xb8, 0xbe, 0xbd, 0, 1] },
  { name: 'a newer field that reaches beyond the end', more: [0xba, 0xbe, 0x3d, 9, 1] },
  { name: 'a newer field of fixed width that is cut', more: [0xbd, 0xbe, 0x3d, 1, 2, 3] },
  { name: 'a group', more: [0xbb, 0xbe, 0x3d, 0xbc, 0xbe, 0x3d] },
  { name: 'wire type 7', more: [0xbf, 0xbe, 0x3d] },
  { name: 'newer fields out of order', more: [0xc0, 0xbe, 0x3d, 1, 0xb8, 0xbe, 0x3d, 1] }
]

/** Fields as a newer version may write them: each wire type, one of them twice, the highest number there is. */
const newerFields = [
  [0xb8, 0xbe, 0x3d, 0],
  [0xb8, 0xbe, 0x3d, ...bytes(9, 0xff), 1],
  [0xc1, 0xbe, 0x3d, ...bytes(8, 7)],
  [0xca, 0xbe, 0x3d, 0],
  [0xd5, 0xbe, 0x3d, ...bytes(4, 7)],
  [0xf8, 0xff, 0xff, 0xff, 0x0f, 1]
].flat()
const withNewer = (domain, { name, seed, value, envelope: given }) => {
  const key = keys.SigningKey.fromSeed(seed)
  const changed = resign(domain, given, key, (payload) => Uint8Array.of(...payload, ...newerFields))
  const { hash } = openEnvelope(domain, changed)
  return { name: `${name}, with fields of a newer version`, seed, value, envelope: changed, hash }
}

/** 32 bytes that are no key: of small order in all encodings and with either sign, written in another way than the one, off the curve. */
const notKeys = [
  ['y = 0', '00'.repeat(32)],
  ['y = 0 with a sign', `${'00'.repeat(31)}80`],
  ['the neutral point', `01${'00'.repeat(31)}`],
  ['the neutral point with a sign', `01${'00'.repeat(30)}80`],
  ['the point of order 2', `ec${'ff'.repeat(30)}7f`],
  ['the point of order 2 with a sign', `ec${'ff'.repeat(31)}`],
  ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['a point of order 8 with a sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['another point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['another point of order 8 with a sign', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ['y = p, another spelling of 0', `ed${'ff'.repeat(30)}7f`],
  ['y = p + 1, another spelling of 1', `ee${'ff'.repeat(30)}7f`],
  ['y = p + 3, another spelling of a point', `f0${'ff'.repeat(30)}7f`],
  ['y = p + 18 with a sign', 'ff'.repeat(32)],
  ['y = 2, off the curve', `02${'00'.repeat(31)}`],
  ['32 times 7, off the curve', '07'.repeat(32)]
].map(([name = '', hex = '']) => ({ name, publicKey: Uint8Array.from(Buffer.from(hex, 'hex')) }))
const [, , neutral, , , , , , , , , , spelling, , offCurve] = notKeys

/** What every kind must refuse, made from one good envelope of it. */
async function commonBad(domain, codec, given, key) {
  const secp256k1 = privateKeyFromRaw(bytes(32, 9))
  const message = codec.decode(openEnvelope(domain, given).payload)
  return [
    bad('no bytes', 'InvalidEnvelopeError', new Uint8Array(0)),
    bad('cut by one byte', 'InvalidEnvelopeError', given.subarray(0, -1)),
    bad('one byte too many', 'InvalidEnvelopeError', Uint8Array.of(...given, 0)),
    bad('an unknown field in the envelope', 'InvalidEnvelopeError', Uint8Array.of(...given, 0x30, 1)),
    bad('larger than allowed', 'InvalidEnvelopeError', Uint8Array.of(...given, ...bytes(domain.maxBytes, 0))),
    bad('a flipped bit in the signature', 'InvalidEnvelopeError', flip(given, given.length - 1)),
    bad('a flipped bit in the payload', 'InvalidEnvelopeError', flip(given, given.length - 70)),
    bad(
      'the key of another',
      'InvalidEnvelopeError',
      repack(given, { publicKey: publicKeyToProtobuf(other.toLibp2p().publicKey) })
    ),
    bad(
      'a secp256k1 key',
      'InvalidEnvelopeError',
      repack(given, { publicKey: publicKeyToProtobuf(secp256k1.publicKey) })
    ),
    bad('another payload type', 'InvalidEnvelopeError', repack(given, { payloadType: Buffer.from('/trustnet/other') })),
    bad(
      'signed for another domain',
      'InvalidEnvelopeError',
      seal({ ...domain, domain: 'trustnet/other/v1' }, codec.encode(message), key)
    ),
    bad(
      'signed under a key of small order, under which everything is signed',
      'InvalidEnvelopeError',
      repack(given, {
        publicKey: Uint8Array.of(8, 1, 18, 32, ...neutral.publicKey),
        signature: Uint8Array.of(...neutral.publicKey, ...bytes(32, 0))
      })
    ),
    ...badFields.map(({ name, more }) =>
      bad(
        name,
        'InvalidPayloadError',
        resign(domain, given, key, (payload) => Uint8Array.of(...payload, ...more))
      )
    ),
    ...Object.keys(message)
      .filter((field) => field.endsWith('Key'))
      .flatMap((field) =>
        [neutral, spelling, offCurve].map(({ name, publicKey }) =>
          bad(`${field}: ${name}`, 'InvalidPayloadError', craft(domain, codec, { ...message, [field]: publicKey }, key))
        )
      ),
    bad('version 2', 'UnsupportedVersionError', craft(domain, codec, { ...message, version: 2 }, key)),
    bad('no version', 'InvalidPayloadError', craft(domain, codec, { ...message, version: 0 }, key)),
    bad('a payload that is no message', 'InvalidPayloadError', seal(domain, bytes(5, 0xff), key)),
    bad(
      'the version written in two bytes',
      'InvalidPayloadError',
      resign(domain, given, key, (payload) => Uint8Array.of(8, 0x81, 0, ...payload.subarray(2)))
    ),
    bad(
      'the version twice',
      'InvalidPayloadError',
      resign(domain, given, key, (payload) => Uint8Array.of(8, 1, ...payload))
    ),
    ...('networkId' in message
      ? [
          bad(
            'another network',
            'WrongNetworkError',
            craft(domain, codec, { ...message, networkId: bytes(32, 0xee) }, key)
          )
        ]
      : [])
  ]
}

const own = { networkId, publicKey: joiner.publicKey }
const position = { networkId, n: 1, prevHash: networkId, epoch: 0, timeMs: time }
const theGrant = {
  id: bytes(16, 0x1d),
  inviteKey: inviteKey.publicKey,
  role: 'integrated',
  name: 'alpha',
  groups: [],
  uses: 1,
  notAfterMs: time + 3_600_000,
  note: ''
}
const wideGrant = {
  id: bytes(16, 0x2d),
  inviteKey: inviteKey.publicKey,
  role: 'secondary',
  groups: ['db', 'web'],
  replaces: 'old',
  uses: 5,
  notAfterMs: time,
  note: 'for the lab, caf\u00e9'
}
const joinBytes = join.makeJoin({
  networkId,
  key: joiner,
  name: 'alpha',
  role: 'integrated',
  grant: theGrant,
  inviteKey,
  timeMs: time
})
const theJoin = join.openJoin(joinBytes, networkId)
const plainJoin = join.openJoin(
  join.makeJoin({ networkId, key: joiner, name: 'beta', role: 'external', timeMs: time }),
  networkId
)
const theReceipt = receipt.sealReceipt({ networkId, joinHash: theJoin.hash, timeMs: time + 1000 }, root)
const theRenewal = renew.sealRenewRequest({ ...own, notAfterMs: time + 7_776_000_000 }, joiner)
const theForget = forget.sealForgetRequest({ ...own, membership: bytes(32, 0x66) }, joiner)
const cidOf = (codec) => new Uint8Array([1, codec, 0x12, 32, ...bytes(32, 0x77)])
const store = {
  ...own,
  seq: 7,
  name: 'music',
  root: cidOf(0x70),
  sizeBytes: 4_200_000,
  files: 12,
  issuedMs: time,
  removed: false
}
const theStore = storeManifest.sealStoreManifest(store, joiner)
const badStore = (name, change) =>
  bad(
    name,
    'InvalidPayloadError',
    craft(domains.storeManifest, pb.StoreManifest, { version: 1, ...store, ...change }, joiner)
  )
const rotation = { networkId, oldKey: joiner.publicKey, newKey: other.publicKey }
const [byOld, byNew] = [rotate.sealRotateRequest(rotation, joiner), rotate.sealRotateRequest(rotation, other)]
const orderFor = (key, kind, digest, fill) =>
  order.sealOrder({ networkId, kind, digest, epoch: 0, seenN: 7, timeMs: time, nonce: bytes(16, fill) }, key)
const digestOf = (given) => new Uint8Array(createHash('sha256').update(given).digest())
const revocation = { publicKey: joiner.publicKey, reason: 'stolen', name: 'alpha' }
const theOrder = orderFor(operator, 3, digestOf(pb.Revoke.encode(revocation)), 0x51)
const secondOrder = orderFor(second, 3, digestOf(pb.Revoke.encode(revocation)), 0x52)
const approval = orderFor(operator, 1, plainJoin.hash, 0x53)
const theRecord = {
  ...own,
  seq: 7,
  addrs: ['/ip6/2001:db8::1/tcp/9000', '/ip6/fd12:3456:789a::1/tcp/9000'],
  registryKey: root.publicKey,
  roles: ['integrated'],
  services: [
    { name: 'db', port: 5432, protocol: 'tcp', tags: ['blue', 'caf\u00e9'], state: 'passing' },
    { name: 'dns', port: 53, protocol: 'udp', tags: [], state: 'unknown' },
    { name: 'files', port: 0, protocol: 'libp2p', tags: [], state: 'maintenance' },
    { name: 'web', port: 8080, protocol: 'tcp', tags: [], state: 'failing' }
  ],
  tags: ['rack-7'],
  software: 'trustnet/0.1.0',
  reach: 'direct',
  left: false,
  issuedMs: time,
  relayKeys: [root.publicKey, other.publicKey]
}
const sharingRecord = {
  ...theRecord,
  seq: 9,
  services: [],
  maintenance: { sinceMs: time, reason: 'a new disk' },
  stores: [
    { name: 'maps', digest: bytes(32, 0x51) },
    { name: 'music', digest: bytes(32, 0x52) }
  ]
}
const leftRecord = {
  ...own,
  seq: 8,
  addrs: [],
  roles: [],
  services: [],
  tags: [],
  software: '',
  reach: 'unknown',
  left: true,
  issuedMs: time
}

const admit = { publicKey: joiner.publicKey, name: 'alpha', role: 'integrated', notAfterMs: time + 7_776_000_000 }
const entries = [
  ['a founder', log, 'admit', { ...admit, publicKey: root.publicKey, name: 'root', role: 'root', via: 'founder' }],
  [
    'an admission by invite',
    log,
    'admit',
    { ...admit, via: 'invite', grantId: theGrant.id, join: theJoin.bytes, receipt: theReceipt.bytes }
  ],
  ['an admission by the operator', log, 'admit', { ...admit, via: 'approved', join: plainJoin.bytes }],
  [
    'a renewal',
    log,
    'renew',
    { publicKey: joiner.publicKey, notAfterMs: time + 15_552_000_000, request: theRenewal.bytes }
  ],
  ['a revocation', log, 'revoke', { publicKey: joiner.publicKey, reason: 'stolen', name: 'alpha' }],
  ['a revocation of a key that is no member', log, 'revoke', { publicKey: other.publicKey, reason: 'stolen' }],
  [
    'a rotation',
    log,
    'rotate',
    { oldKey: joiner.publicKey, newKey: other.publicKey, proofOld: byOld.bytes, proofNew: byNew.bytes }
  ],
  ['a registry', log, 'registrySet', { publicKey: root.publicKey, role: 'root', removed: false }],
  ['a registry that is gone', log, 'registrySet', { publicKey: root.publicKey, role: 'secondary', removed: true }],
  ['a new log key', authority, 'delegate', { logKey: other.publicKey }],
  [
    'a new authority',
    nextAuthority,
    'authority',
    { authorityKey: nextAuthority.publicKey, nextAuthorityDigest: bytes(32, 0x77) }
  ],
  ['a publisher', log, 'publisher', { publicKey: joiner.publicKey, removed: false }],
  [
    'a document',
    log,
    'publish',
    {
      id: 'policy.v1',
      documentVersion: 1,
      mediaType: 'text/plain',
      digest: bytes(32, 0xd1),
      sizeBytes: 1024,
      publisherKey: root.publicKey
    }
  ],
  ['a retired document', log, 'retire', { id: 'policy.v1', reason: 'replaced' }],
  ['a policy', log, 'policy', { ...policy.defaultPolicy, admission: 'approve', criticalKinds: [20, 21] }],
  [
    'a policy of who calls what',
    log,
    'policy',
    {
      ...policy.defaultPolicy,
      rules: [
        { from: 'web', to: 'db', service: 'postgres' },
        { from: 'admins', to: '*', service: '*' }
      ],
      tests: [
        { from: 'web', to: 'db', service: 'postgres', allowed: true },
        { from: '*', to: 'db', service: 'ssh', allowed: false }
      ],
      publishing: 'registries',
      relaying: 'nobody',
      witnesses: 2,
      witnessKeys: [root.publicKey, other.publicKey].toSorted((a, b) => Buffer.compare(a, b))
    }
  ],
  ['an invite for one name', log, 'grant', theGrant],
  ['an invite that replaces a member', log, 'grant', wideGrant],
  ['an invite that is taken back', log, 'grantEnd', { id: theGrant.id, reason: 'sent to the wrong person' }],
  [
    'an invite for members that go when they are offline',
    log,
    'grant',
    { ...wideGrant, groups: ['ci', 'web'], ephemeralMs: 600_000 }
  ],
  [
    'an admission into groups',
    log,
    'admit',
    { ...admit, via: 'approved', join: plainJoin.bytes, groups: ['db', 'web'], ephemeralMs: 600_000 }
  ],
  [
    'a changed member',
    log,
    'change',
    { publicKey: joiner.publicKey, name: 'beta', role: 'external', groups: ['db', 'web'] }
  ],
  ['a member in no group', log, 'change', { publicKey: joiner.publicKey, name: 'beta', role: 'secondary', groups: [] }],
  ['the end of a membership', log, 'end', { publicKey: joiner.publicKey, reason: 'not needed' }],
  [
    'the end that the member asked for',
    log,
    'end',
    { publicKey: joiner.publicKey, reason: '', request: theForget.bytes }
  ],
  ['an operator', log, 'operator', { publicKey: operator.publicKey, name: 'ann', removed: false }],
  ['an operator who is none any more', log, 'operator', { publicKey: operator.publicKey, name: 'ann', removed: true }],
  ['a revocation that an operator ordered', log, 'revoke', revocation, [theOrder.bytes]],
  ['a revocation that two operators ordered', log, 'revoke', revocation, [theOrder.bytes, secondOrder.bytes]],
  [
    'an admission that an operator ordered',
    log,
    'admit',
    { ...admit, via: 'approved', join: plainJoin.bytes },
    [approval.bytes]
  ],
  ['a policy by which two acts need two operators', log, 'policy', { ...policy.defaultPolicy, twoOperators: [3, 16] }]
].map(([name, key, kind, body, orders]) => {
  const sealed = entry.sealEntry({ ...position, kind, body, ...(orders !== undefined && { orders }) }, key)
  return good(name, key, entry.openEntry(sealed.bytes, networkId))
})
const unknownEntry = entry.sealEntry(
  { ...position, n: 2 ** 40, epoch: 3, kind: 'unknown', kindNumber: 99, body: Uint8Array.of(8, 1, 18, 1, 7) },
  log
)

const header = { version: 1, networkId }
const stores = (...names) =>
  pb.RecordAdditions.encode({ stores: names.map((name) => ({ name, digest: bytes(32, 0x51) })) })
/** Stores of a record that are not as they should be. */
const absentAdditions = [
  ['a list of stores that do not ascend', stores('b', 'a')],
  ['a store twice', stores('a', 'a')],
  ['a list of 9 stores', stores(...Array.from('abcdefghi'))],
  ['a store with markup', stores('<b>')],
  ['a store with a short digest', pb.RecordAdditions.encode({ stores: [{ name: 'a', digest: bytes(31, 1) }] })],
  ['a store that is no message', [0x82, 1, 1, 0xff]]
]
const recordMessage = { ...header, publicKey: joiner.publicKey, seq: 1 }
const badRecord = (name, change, error = 'InvalidPayloadError') =>
  bad(name, error, craft(domains.nodeRecord, pb.NodeRecord, { ...recordMessage, ...change }, joiner))
const addr = (...ip) => Uint8Array.of(0x29, ...ip, 6, 0x23, 0x28)
const badEntry = (name, kind, body, key = log, more = {}) =>
  bad(
    name,
    'InvalidPayloadError',
    craft(domains.logEntry, pb.LogEntry, { ...header, n: 1, prevHash: networkId, kind, body, ...more }, key)
  )

const badKeys = (message, kind, body, fields) =>
  fields.flatMap((field) =>
    [neutral, spelling, offCurve].map(({ name, publicKey }) =>
      badEntry(`${message}.${field}: ${name}`, kind, pb[message].encode({ ...body, [field]: publicKey }))
    )
  )

const badOrder = (name, change, error = 'InvalidPayloadError') =>
  bad(
    name,
    error,
    craft(
      domains.order,
      pb.Order,
      { ...header, publicKey: operator.publicKey, kind: 3, digest: bytes(32, 1), nonce: bytes(16, 1), ...change },
      operator
    )
  )

const policyMessage = policy.policyMessage(policy.defaultPolicy)
const service = (changes) => ({ name: 'web', port: 80, protocol: 0, tags: [], state: 0, ...changes })
const badPolicy = (name, change, error = 'InvalidPayloadError') => ({
  ...badEntry(`a policy ${name}`, 11, pb.Policy.encode({ ...policyMessage, ...change })),
  error
})
const rule = { from: 'web', to: 'db', service: 'postgres' }

const files = {
  genesis: {
    good: [good('by invite', authority, theGenesis)],
    newer: [withNewer(domains.genesis, good('by invite', authority, theGenesis))],
    bad: [
      ...(await commonBad(domains.genesis, pb.Genesis, theGenesis.bytes, authority)),
      bad(
        'signed by the log key',
        'InvalidEnvelopeError',
        resign(domains.genesis, theGenesis.bytes, log, (payload) => payload)
      )
    ]
  },
  'log-entry': {
    // Each stands alone: whether a replica takes it in depends on the log before it, as in state-log.json.
    standing: 'opens',
    good: [...entries, good('a kind of a newer version', log, unknownEntry)],
    newer: entries.map((vector) => withNewer(domains.logEntry, vector)),
    bad: [
      ...(await commonBad(domains.logEntry, pb.LogEntry, entries[0].envelope, log)),
      badEntry('a name in capitals', 1, pb.Admit.encode({ ...admit, name: 'Alpha', role: 3 })),
      badEntry('an invite without grant', 1, pb.Admit.encode({ ...admit, role: 3, via: 1, join: theJoin.bytes })),
      badEntry(
        'an approval with a grant',
        1,
        pb.Admit.encode({ ...admit, role: 3, via: 2, grantId: theGrant.id, join: theJoin.bytes })
      ),
      badEntry('a policy without a length of memberships', 11, pb.Policy.encode({ ...policyMessage, membershipMs: 0 })),
      badEntry(
        'a policy with critical kinds that do not ascend',
        11,
        pb.Policy.encode({ ...policyMessage, criticalKinds: [21, 20] })
      ),
      badPolicy('that lets publish in a way of a newer version', { publishing: 3 }, 'UnsupportedVersionError'),
      badPolicy('that lets relay in a way of a newer version', { relaying: 3 }, 'UnsupportedVersionError'),
      badPolicy('with a rule from nobody', { rules: [{ ...rule, from: '' }] }),
      badPolicy('with a rule to Db, which is no name', { rules: [{ ...rule, to: 'Db' }] }),
      badPolicy('with a rule for a service that is no name', { rules: [{ ...rule, service: 'a.b' }] }),
      badPolicy('with a test of every service', { tests: [{ ...rule, service: '*', allowed: true }] }),
      badPolicy('with 129 rules', { rules: Array.from({ length: 129 }, () => ({ from: 'a', to: 'b', service: 'c' })) }),
      badPolicy('with witnesses that do not ascend', {
        witnessKeys: [root.publicKey, other.publicKey].toSorted((a, b) => Buffer.compare(a, b)).toReversed()
      }),
      badPolicy('with a witness that is no key', { witnessKeys: [offCurve.publicKey] }),
      badPolicy('that needs more witnesses than it names', { witnesses: 2, witnessKeys: [root.publicKey] }),
      badEntry('an invite without uses', 12, pb.Grant.encode({ ...theGrant, role: 3, uses: 0 })),
      badEntry(
        'an invite with groups that do not ascend',
        12,
        pb.Grant.encode({ ...theGrant, role: 3, groups: ['web', 'db'] })
      ),
      badEntry('an invite with a short id', 12, pb.Grant.encode({ ...theGrant, role: 3, id: bytes(15, 1) })),
      badEntry('the end of no invite', 13, pb.GrantEnd.encode({ id: bytes(0, 0), reason: '' })),
      badEntry('a change without a name', 14, pb.Change.encode({ publicKey: joiner.publicKey, role: 3 })),
      badEntry('a change without a role', 14, pb.Change.encode({ publicKey: joiner.publicKey, name: 'beta' })),
      badEntry(
        'a change with groups that do not ascend',
        14,
        pb.Change.encode({ publicKey: joiner.publicKey, name: 'beta', role: 3, groups: ['web', 'db'] })
      ),
      badEntry(
        'a change with groups that repeat',
        14,
        pb.Change.encode({ publicKey: joiner.publicKey, name: 'beta', role: 3, groups: ['web', 'web'] })
      ),
      badEntry(
        'an end with a long reason',
        15,
        pb.End.encode({ publicKey: joiner.publicKey, reason: 'a'.repeat(257) })
      ),
      badEntry(
        'an admission that ends within a second offline',
        1,
        pb.Admit.encode({ ...admit, role: 3, via: 2, join: plainJoin.bytes, ephemeralMs: 999 })
      ),
      badEntry('a body that is no message', 1, bytes(4, 0xff)),
      ...[0, 3, 9].map((role) =>
        badEntry(`a registry of role ${role}`, 5, pb.RegistrySet.encode({ publicKey: root.publicKey, role }))
      ),
      badEntry('a member of role 0', 1, pb.Admit.encode({ ...admit, role: 0 })),
      ...badFields.map(({ name, more }) =>
        badEntry(`a body with ${name}`, 3, Uint8Array.of(...pb.Revoke.encode({ publicKey: joiner.publicKey }), ...more))
      ),
      badEntry('a body of a newer kind that is no message', 99, bytes(3, 1)),
      ...badKeys('Admit', 1, { ...admit, role: 3 }, ['publicKey']),
      ...badKeys('Renew', 2, { publicKey: joiner.publicKey, notAfterMs: time, request: theRenewal.bytes }, [
        'publicKey'
      ]),
      ...badKeys('Revoke', 3, { publicKey: joiner.publicKey }, ['publicKey']),
      ...badKeys('Rotate', 4, { ...rotation, proofOld: byOld.bytes, proofNew: byNew.bytes }, ['oldKey', 'newKey']),
      ...badKeys('Change', 14, { name: 'beta', role: 3 }, ['publicKey']),
      ...badKeys('End', 15, {}, ['publicKey']),
      ...badKeys('RegistrySet', 5, { publicKey: root.publicKey, role: 2 }, ['publicKey']),
      ...badKeys('Delegate', 6, {}, ['logKey']),
      ...badKeys('Authority', 7, { nextAuthorityDigest: bytes(32, 7) }, ['authorityKey']),
      ...badKeys('Publisher', 8, {}, ['publicKey']),
      ...badKeys('Publish', 9, { id: 'a', documentVersion: 1, mediaType: 'text/plain', digest: bytes(32, 7) }, [
        'publisherKey'
      ]),
      ...badKeys('Operator', 16, { name: 'ann' }, ['publicKey']),
      badEntry('an operator without a name', 16, pb.Operator.encode({ publicKey: operator.publicKey })),
      badEntry(
        'an operator with a name in capitals',
        16,
        pb.Operator.encode({ publicKey: operator.publicKey, name: 'Ann' })
      ),
      badEntry(
        'a policy with kinds for two operators that do not ascend',
        11,
        pb.Policy.encode({ ...policyMessage, twoOperators: [16, 3] })
      ),
      badEntry('three orders', 3, pb.Revoke.encode(revocation), log, {
        orders: [theOrder.bytes, secondOrder.bytes, approval.bytes]
      }),
      badEntry('an empty order', 3, pb.Revoke.encode(revocation), log, { orders: [new Uint8Array()] }),
      badEntry('kind 0', 0, bytes(1, 1)),
      bad(
        'a new authority signed by the old one',
        'InvalidEnvelopeError',
        resign(
          domains.logEntry,
          entries.find(({ name }) => name === 'a new authority').envelope,
          authority,
          (payload) => payload
        )
      )
    ]
  },
  checkpoint: {
    good: [
      good(
        'of a log with one member',
        log,
        checkpoint.sealCheckpoint(
          {
            networkId,
            epoch: 0,
            n: 2,
            headHash: bytes(32, 0xaa),
            stateRoot: bytes(32, 0xbb),
            rows: 3,
            bytes: 1234,
            timeMs: time
          },
          log
        )
      ),
      good(
        'of the largest numbers',
        log,
        checkpoint.sealCheckpoint(
          {
            networkId,
            epoch: 2 ** 53 - 1,
            n: 2 ** 53 - 1,
            headHash: bytes(32, 0),
            stateRoot: bytes(32, 255),
            rows: 2 ** 53 - 1,
            bytes: 2 ** 53 - 1,
            timeMs: 253_402_300_799_999
          },
          log
        )
      )
    ]
  },
  'node-record': {
    good: [
      good('of a member', joiner, record.sealRecord(theRecord, joiner)),
      good('of one who left', joiner, record.sealRecord(leftRecord, joiner)),
      good('of one in maintenance that shares stores', joiner, record.sealRecord(sharingRecord, joiner))
    ],
    newer: absentAdditions.map(([name, more]) => {
      const { value, bytes: given } = record.sealRecord(leftRecord, joiner)
      const changed = resign(domains.nodeRecord, given, joiner, (payload) => Uint8Array.of(...payload, ...more))
      return good(`${name} counts as absent`, joiner, {
        value,
        bytes: changed,
        hash: openEnvelope(domains.nodeRecord, changed).hash
      })
    }),
    bad: [
      badRecord('seq 0', { seq: 0 }),
      badRecord('signed by another than its subject', { publicKey: other.publicKey }, 'InvalidEnvelopeError'),
      badRecord('9 addresses', { addrs: Array.from({ length: 9 }, () => addr(...bytes(15, 0), 1)) }),
      badRecord('an IPv4 address', { addrs: [Uint8Array.of(4, 127, 0, 0, 1, 6, 0x23, 0x28)] }),
      badRecord('a mapped IPv4 address', { addrs: [addr(...bytes(10, 0), 255, 255, 192, 0, 2, 1)] }),
      badRecord('a link-local address', { addrs: [addr(0xfe, 0x80, ...bytes(13, 0), 1)] }),
      badRecord('a 6to4 address', { addrs: [addr(0x20, 2, ...bytes(13, 0), 1)] }),
      badRecord('a NAT64 address', { addrs: [addr(0, 0x64, 0xff, 0x9b, ...bytes(8, 0), 192, 0, 2, 1)] }),
      badRecord('17 tags', { tags: Array.from({ length: 17 }, (_, i) => `t${i}`) }),
      badRecord('17 services', { services: Array.from({ length: 17 }, (_, i) => service({ name: `s${100 + i}` })) }),
      badRecord('services that do not ascend', { services: [service({ name: 'b' }), service({ name: 'a' })] }),
      badRecord('two services of one name', { services: [service(), service({ port: 81 })] }),
      badRecord('a service with markup', { services: [service({ name: '<b>' })] }),
      badRecord('tags of a service that do not ascend', { services: [service({ tags: ['b', 'a'] })] }),
      badRecord('a relay that is no key', { relayKeys: [offCurve.publicKey] }),
      badRecord('one relay in two places', { relayKeys: [root.publicKey, root.publicKey] }),
      badRecord('itself as a relay', { relayKeys: [joiner.publicKey] }),
      badRecord('a control character', { software: 'x\u001b[2J' }),
      badRecord('text that is not in normal form C', { tags: ['cafe\u0301'] })
    ]
  },
  join: {
    good: [good('with an invite', joiner, theJoin), good('without an invite', joiner, plainJoin)],
    bad: [
      bad(
        'signed by another than the joiner',
        'InvalidEnvelopeError',
        resign(domains.join, theJoin.bytes, other, (payload) => payload)
      ),
      bad(
        'half an invite',
        'InvalidPayloadError',
        craft(
          domains.join,
          pb.JoinRequest,
          { ...header, publicKey: joiner.publicKey, name: 'alpha', role: 3, grantId: bytes(16, 1) },
          joiner
        )
      )
    ]
  },
  receipt: { good: [good('by the root', root, theReceipt)] },
  renew: {
    good: [good('of a membership', joiner, theRenewal)],
    bad: [
      bad(
        'signed by another than the member',
        'InvalidEnvelopeError',
        resign(domains.renew, theRenewal.bytes, other, (payload) => payload)
      )
    ]
  },
  forget: {
    good: [good('of oneself', joiner, theForget)],
    bad: [
      bad(
        'signed by another than the member',
        'InvalidEnvelopeError',
        resign(domains.forget, theForget.bytes, other, (payload) => payload)
      )
    ]
  },
  rotate: {
    good: [good('by the old key', joiner, byOld), good('by the new key', other, byNew)],
    bad: [
      bad(
        'signed by a third key',
        'InvalidEnvelopeError',
        resign(domains.rotate, byOld.bytes, root, (payload) => payload)
      )
    ]
  },
  store: {
    good: [
      good('of a folder', joiner, theStore),
      good(
        'of an empty folder',
        joiner,
        storeManifest.sealStoreManifest({ ...store, name: 'a', seq: 1, sizeBytes: 0, files: 0, issuedMs: 0 }, joiner)
      ),
      good(
        'of bytes, shared no more',
        joiner,
        storeManifest.sealStoreManifest({ ...store, root: cidOf(0x55), removed: true }, joiner)
      ),
      good(
        'of the largest numbers',
        joiner,
        storeManifest.sealStoreManifest(
          {
            ...store,
            name: 'x'.repeat(63),
            seq: 2 ** 53 - 1,
            sizeBytes: 2 ** 53 - 1,
            files: 2 ** 53 - 1,
            issuedMs: 253_402_300_799_999
          },
          joiner
        )
      )
    ],
    bad: [
      bad(
        'signed by another than the owner',
        'InvalidEnvelopeError',
        resign(domains.storeManifest, theStore.bytes, other, (payload) => payload)
      ),
      badStore('no name', { name: '' }),
      badStore('a name that is no label', { name: '../music' }),
      badStore('seq 0', { seq: 0 }),
      badStore('no root', { root: bytes(0, 0) }),
      badStore('a root without its last byte', { root: cidOf(0x70).subarray(0, 35) }),
      badStore('a root of version 0', { root: cidOf(0x70).with(0, 0) }),
      badStore('a root of another codec', { root: cidOf(0x71) }),
      badStore('a root of another hash', { root: cidOf(0x70).with(2, 0x13) }),
      badStore('a root of another length', { root: cidOf(0x70).with(3, 31) }),
      badStore('the year 10000', { issuedMs: 253_402_300_800_000 })
    ]
  },
  order: {
    good: [
      good('for a revocation', operator, theOrder),
      good('for an admission', operator, approval),
      good(
        'of the largest numbers, for no entry',
        second,
        order.sealOrder(
          {
            networkId,
            kind: 0,
            digest: bytes(32, 255),
            epoch: 2 ** 53 - 1,
            seenN: 2 ** 53 - 1,
            timeMs: 253_402_300_799_999,
            nonce: bytes(16, 0)
          },
          second
        )
      )
    ],
    bad: [
      badOrder('signed by another than the operator', { publicKey: other.publicKey }, 'InvalidEnvelopeError'),
      badOrder('a digest of 31 bytes', { digest: bytes(31, 1) }),
      badOrder('no digest', { digest: bytes(0, 0) }),
      badOrder('a nonce of 15 bytes', { nonce: bytes(15, 1) }),
      badOrder('no nonce', { nonce: bytes(0, 0) }),
      badOrder('the year 10000', { timeMs: 253_402_300_800_000 })
    ]
  }
}

const codecs = {
  checkpoint: [domains.checkpoint, pb.Checkpoint],
  'node-record': [domains.nodeRecord, pb.NodeRecord],
  join: [domains.join, pb.JoinRequest],
  receipt: [domains.receipt, pb.JoinReceipt],
  renew: [domains.renew, pb.RenewRequest],
  forget: [domains.forget, pb.ForgetRequest],
  rotate: [domains.rotate, pb.RotateRequest],
  order: [domains.order, pb.Order],
  store: [domains.storeManifest, pb.StoreManifest]
}
for (const [name, [domain, codec]] of Object.entries(codecs)) {
  const [first] = files[name].good
  const key = keys.SigningKey.fromSeed(first.seed)
  files[name].newer = [...files[name].good.map((vector) => withNewer(domain, vector)), ...(files[name].newer ?? [])]
  files[name].bad = [...(await commonBad(domain, codec, first.envelope, key)), ...(files[name].bad ?? [])]
}

const folder = new URL('../test/fixtures/vectors/', import.meta.url)
mkdirSync(folder, { recursive: true })
const write = (name, content) => writeFileSync(new URL(`${name}.json`, folder), `${toJson(content)}\n`)
for (const [name, content] of Object.entries(files)) write(name, { kind: name, networkId, ...content })

const inviteGrant = {
  id: theGrant.id,
  role: theGrant.role,
  name: theGrant.name,
  notAfterMs: theGrant.notAfterMs,
  epoch: 0,
  n: 3,
  hash: bytes(32, 0x9e)
}
const line = invite.encodeInvite({
  domain: 'example.org',
  networkId,
  registries: [{ publicKey: root.publicKey, addrs: ['/ip6/2001:db8::1/tcp/8000'] }],
  grant: inviteGrant,
  inviteKey
})
const lineOf = (body) => {
  const sum = createHash('sha256').update(body).digest().subarray(0, 4)
  return `tnet1${Buffer.from([body.length >> 8, body.length & 0xff, ...body, ...sum]).toString('base64url')}`
}
const inviteBody = new Uint8Array(Buffer.from(line.slice(5), 'base64url').subarray(2, -4))
const inviteMessage = pb.Invite.decode(inviteBody)
write('invite', {
  good: [
    {
      line,
      domain: 'example.org',
      networkId,
      registryKey: root.publicKey,
      addr: '/ip6/2001:db8::1/tcp/8000',
      grant: inviteGrant,
      seed: inviteKey.seed
    }
  ],
  bad: [
    { name: 'cut', line: line.slice(0, -7), message: 'the end of the invite is missing' },
    {
      name: 'mistyped',
      line: `${line.slice(0, 90)}${line[90] === 'A' ? 'B' : 'A'}${line.slice(91)}`,
      message: 'a wrong character'
    },
    { name: 'no invite', line: `x${line}`, message: 'no invite' },
    { name: 'of a newer version', line: line.replace('tnet1', 'tnet2'), message: 'of a newer version' },
    ...badFields.map(({ name, more }) => ({
      name,
      line: lineOf(Uint8Array.of(...inviteBody, ...more)),
      message: 'cannot be decoded'
    })),
    ...[neutral, spelling, offCurve].map(({ name, publicKey }) => ({
      name: `a registry whose key is ${name}`,
      line: lineOf(pb.Invite.encode({ ...inviteMessage, registries: [{ publicKey, addrs: [] }] })),
      message: 'is no Ed25519 key'
    }))
  ]
})
/** Text of 1 to 64 characters, as hex of its UTF-8: lone surrogates and the like cannot stand in JSON. */
const texts = (list) =>
  list.map(([name, codes]) => ({ name, utf8: Uint8Array.from(Buffer.from(String.fromCodePoint(...codes))) }))
write('text', {
  good: texts([
    ['ASCII', [0x61, 0x20, 0x7e]],
    ['a composed letter', [0xe9]],
    ['a mark that composes with nothing before it', [0x71, 0x307]],
    ['Hangul', [0xac00]],
    ['beyond 16 bits', [0x1f600]],
    ['added in Unicode 15.0: an Arabic mark', [0x61, 0x10efd]],
    ['added in Unicode 15.0: an ideograph', [0x31350]],
    ['for private use', [0xe000]],
    ['64 characters of four bytes', Array.from({ length: 64 }, () => 0x1f600)]
  ]),
  bad: texts([
    ['nothing', []],
    ['65 characters', Array.from({ length: 65 }, () => 0x1f600)],
    ['a letter and a mark that compose', [0x65, 0x301]],
    ['marks out of order', [0x61, 0x301, 0x323]],
    ['a character that normal form C replaces', [0x212b]],
    ['Hangul in parts', [0x1100, 0x1161]],
    ['a sequence that Unicode 16.0 composes', [0x105d2, 0x307]],
    ['not assigned in Unicode 15.0: an ideograph of 15.1', [0x2ebf0]],
    ['not assigned in Unicode 15.0: a letter of 16.0', [0x105d2]],
    ['not assigned: U+0378', [0x378]],
    ['not a character: U+1FFFF', [0x1ffff]],
    ['a control character', [0x61, 0x1b]],
    ['a line break', [0x61, 0x0a]],
    ['DEL', [0x7f]],
    ['a C1 control character', [0x9b]],
    ['an Arabic letter mark', [0x61c]],
    ['a space without width', [0x200b]],
    ['a mark of direction', [0x202e]],
    ['a line separator', [0x2028]],
    ['a word joiner', [0x2060]],
    ['a byte order mark', [0xfeff]],
    ['an interlinear annotation', [0xfff9]],
    ['the replacement character', [0xfffd]]
  ])
})
const hexOf = (...given) => Buffer.from(given.flat()).toString('hex')
const long = Array.from({ length: 300 }, () => 7)
/** Streams, in hex without a prefix: the length before each frame, and where a stream is reset. */
write('frames', {
  good: [
    { name: 'one byte', maxFrame: 300, bytes: hexOf([1, 9]), frames: ['09'] },
    { name: 'three frames', maxFrame: 300, bytes: hexOf([1, 9, 2, 8, 7, 1, 6]), frames: ['09', '0807', '06'] },
    { name: 'a length in two bytes', maxFrame: 300, bytes: hexOf([0xac, 2], long), frames: [hexOf(long)] },
    {
      name: '127 and 128 bytes',
      maxFrame: 300,
      bytes: hexOf([127], long.slice(0, 127), [0x80, 1], long.slice(0, 128)),
      frames: [hexOf(long.slice(0, 127)), hexOf(long.slice(0, 128))]
    }
  ],
  bad: [
    { name: 'an empty frame', maxFrame: 300, bytes: hexOf([0]), error: 'MalformedFrameError' },
    { name: 'an empty frame in two bytes', maxFrame: 300, bytes: hexOf([0x80, 0]), error: 'MalformedFrameError' },
    {
      name: 'a length in more bytes than it needs',
      maxFrame: 300,
      bytes: hexOf([0x85, 0, 1, 2, 3, 4, 5]),
      error: 'MalformedFrameError'
    },
    {
      name: 'a length of five bytes',
      maxFrame: 2 ** 31,
      bytes: hexOf([0x80, 0x80, 0x80, 0x80, 1]),
      error: 'MalformedFrameError'
    },
    {
      name: 'one byte more than the protocol allows, judged at its length',
      maxFrame: 300,
      bytes: hexOf([0xad, 2]),
      error: 'FrameTooLargeError'
    },
    { name: 'a good frame, then an empty one', maxFrame: 300, bytes: hexOf([1, 9, 0]), error: 'MalformedFrameError' }
  ],
  unfinished: [
    { name: 'a length without its end', maxFrame: 300, bytes: hexOf([0xac]) },
    { name: 'a frame without its end', maxFrame: 300, bytes: hexOf([2, 9]) }
  ]
})
/** Single objects at the edge of what opens: the last value that does, and the first that does not. */
const edge = (name, kind, domain, codec, message, key, verdict) => ({
  name,
  kind,
  verdict,
  envelope: seal(domain, codec.encode({ ...header, ...message }), key)
})
const recordEdge = (name, change, verdict) =>
  edge(name, 'node-record', domains.nodeRecord, pb.NodeRecord, { ...recordMessage, ...change }, joiner, verdict)
const entryEdge = (name, kind, codec, body, verdict, change = {}) =>
  edge(
    name,
    'log-entry',
    domains.logEntry,
    pb.LogEntry,
    { n: 1, prevHash: networkId, kind, body: codec.encode(body), ...change },
    log,
    verdict
  )
const renewal = { publicKey: joiner.publicKey, notAfterMs: time, request: theRenewal.bytes }
const founder = { publicKey: root.publicKey, name: 'root', role: 1, notAfterMs: time }
const publish = { id: 'a', documentVersion: 1, mediaType: 'a/b', digest: bytes(32, 7), publisherKey: root.publicKey }
const pair = (make, inside, outside) => [make(...inside, 'opens'), make(...outside, 'refused')]
const bigTime = 253_402_300_799_999
const loopback = addr(...bytes(15, 0), 1)
const host = (...ip) => ({ addrs: [Uint8Array.of(0x29, ...ip, 6, 0, 1)] })
write('edges', {
  networkId,
  cases: [
    ...pair(recordEdge, ['seq 2^53 - 1', { seq: 2 ** 53 - 1 }], ['seq 0', { seq: 0 }]),
    ...pair(
      recordEdge,
      ['the end of the year 9999', { issuedMs: bigTime }],
      ['the year 10000', { issuedMs: bigTime + 1 }]
    ),
    ...pair(
      recordEdge,
      ['8 addresses', { addrs: Array.from({ length: 8 }, () => loopback) }],
      ['9 addresses', { addrs: Array.from({ length: 9 }, () => loopback) }]
    ),
    ...pair(
      recordEdge,
      ['16 tags', { tags: Array.from({ length: 16 }, () => 'a') }],
      ['17 tags', { tags: Array.from({ length: 17 }, () => 'a') }]
    ),
    recordEdge(
      '16 services',
      { services: Array.from({ length: 16 }, (_, i) => service({ name: `s${100 + i}` })) },
      'opens'
    ),
    ...pair(
      recordEdge,
      ['a service of 63 characters', { services: [service({ name: 'a'.repeat(63) })] }],
      ['a service of 64 characters', { services: [service({ name: 'a'.repeat(64) })] }]
    ),
    ...pair(
      recordEdge,
      ['a service on port 65535', { services: [service({ port: 65_535 })] }],
      ['a service on port 65536', { services: [service({ port: 65_536 })] }]
    ),
    ...pair(
      recordEdge,
      ['a udp service on port 1', { services: [service({ port: 1, protocol: 1 })] }],
      ['a udp service on port 0', { services: [service({ port: 0, protocol: 1 })] }]
    ),
    ...pair(
      recordEdge,
      ['a libp2p service without a port', { services: [service({ port: 0, protocol: 2 })] }],
      ['a libp2p service on port 1', { services: [service({ port: 1, protocol: 2 })] }]
    ),
    recordEdge(
      'a service of a protocol of a newer version',
      { services: [service({ port: 0, protocol: 99 })] },
      'opens'
    ),
    recordEdge('a service in a state of a newer version', { services: [service({ state: 99 })] }, 'opens'),
    ...pair(
      recordEdge,
      ['8 tags of a service', { services: [service({ tags: 'abcdefgh'.split('') })] }],
      ['9 tags of a service', { services: [service({ tags: 'abcdefghi'.split('') })] }]
    ),
    ...pair(
      recordEdge,
      ['4 relays', { relayKeys: [root, other, log, authority].map(({ publicKey }) => publicKey) }],
      ['5 relays', { relayKeys: [root, other, log, authority, nextAuthority].map(({ publicKey }) => publicKey) }]
    ),
    ...pair(
      recordEdge,
      ['a tag of 64 characters', { tags: ['\u00e9'.repeat(64)] }],
      ['a tag of 65 characters', { tags: ['a'.repeat(65)] }]
    ),
    ...pair(recordEdge, ['a tag of one character', { tags: ['a'] }], ['an empty tag', { tags: [''] }]),
    ...pair(recordEdge, ['8 roles', { roles: bytes(8, 3) }], ['9 roles', { roles: bytes(9, 3) }]),
    recordEdge('a role of a newer version', { roles: [99] }, 'opens'),
    recordEdge('a reach of a newer version', { reach: 99 }, 'opens'),
    ...pair(
      recordEdge,
      ['port 1', host(...bytes(15, 0), 1)],
      ['port 0', { addrs: [Uint8Array.of(0x29, ...bytes(15, 0), 1, 6, 0, 0)] }]
    ),
    ...pair(recordEdge, ['2000::', host(0x20, 0, ...bytes(14, 0))], ['1fff::', host(0x1f, 0xff, ...bytes(14, 0))]),
    ...pair(recordEdge, ['3fff::', host(0x3f, 0xff, ...bytes(14, 0))], ['4000::', host(0x40, 0, ...bytes(14, 0))]),
    ...pair(recordEdge, ['fc00::', host(0xfc, 0, ...bytes(14, 0))], ['fbff::', host(0xfb, 0xff, ...bytes(14, 0))]),
    ...pair(recordEdge, ['fdff::', host(0xfd, 0xff, ...bytes(14, 0))], ['fe00::', host(0xfe, 0, ...bytes(14, 0))]),
    ...pair(
      recordEdge,
      ['2001:1::', host(0x20, 1, 0, 1, ...bytes(12, 0))],
      ['2001::, Teredo', host(0x20, 1, 0, 0, ...bytes(12, 0))]
    ),
    ...pair(recordEdge, ['::1', host(...bytes(15, 0), 1)], ['::2', host(...bytes(15, 0), 2)]),
    recordEdge('::', host(...bytes(16, 0)), 'refused'),
    recordEdge('an address of 19 bytes', { addrs: [bytes(19, 0x29)] }, 'refused'),
    ...pair(
      (name, given, verdict) => entryEdge(name, 1, pb.Admit, { ...founder, name: given }, verdict),
      ['a name of 63 characters', 'a'.repeat(63)],
      ['a name of 64 characters', 'a'.repeat(64)]
    ),
    ...pair(
      (name, given, verdict) => entryEdge(name, 1, pb.Admit, { ...founder, name: given }, verdict),
      ['a name with a hyphen inside', 'a-b'],
      ['a name with a hyphen at its end', 'ab-']
    ),
    ...pair(
      (name, role, verdict) => entryEdge(name, 1, pb.Admit, { ...founder, role }, verdict),
      ['a member of role 2^32 - 1', 2 ** 32 - 1],
      ['a member of role 0', 0]
    ),
    ...[0, 1, 2, 3, 4, 9].map((role) =>
      entryEdge(
        `a registry of role ${role}`,
        5,
        pb.RegistrySet,
        { publicKey: root.publicKey, role },
        role === 1 || role === 2 ? 'opens' : 'refused'
      )
    ),
    ...pair(
      (name, reason, verdict) => entryEdge(name, 3, pb.Revoke, { publicKey: root.publicKey, reason }, verdict),
      ['a reason of 256 characters', 'a'.repeat(256)],
      ['a reason of 257 characters', 'a'.repeat(257)]
    ),
    ...pair(
      (name, notAfterMs, verdict) => entryEdge(name, 2, pb.Renew, { ...renewal, notAfterMs }, verdict),
      ['a membership to the end of 9999', bigTime],
      ['a membership to the year 10000', bigTime + 1]
    ),
    entryEdge('a renewal whose request is no envelope', 2, pb.Renew, { ...renewal, request: bytes(1, 7) }, 'opens'),
    entryEdge('a renewal without a request', 2, pb.Renew, { ...renewal, request: new Uint8Array() }, 'refused'),
    ...['a', 'A.b_c-d', '0', 'a'.repeat(128)].map((id) =>
      entryEdge(`document id of ${id.length}: ${id.slice(0, 9)}`, 9, pb.Publish, { ...publish, id }, 'opens')
    ),
    ...['', '.', '..', '-a', '_a', 'a/b', 'a b', '\u00e9', 'a'.repeat(129)].map((id) =>
      entryEdge(`no document id of ${id.length}: ${id.slice(0, 9)}`, 9, pb.Publish, { ...publish, id }, 'refused')
    ),
    ...[
      'a/b',
      'text/plain; charset=utf-8',
      'text/plain;charset=utf-8',
      'application/vnd.x+json',
      'a/b;c=d; e=f',
      `a/${'b'.repeat(125)}`
    ].map((mediaType) =>
      entryEdge(`media type ${mediaType.slice(0, 30)}`, 9, pb.Publish, { ...publish, mediaType }, 'opens')
    ),
    ...['', 'a', 'a/', '/b', 'A/b', 'a/b;', 'a/b;  c=d', 'a/b; c', 'a/b; c="d"', ' a/b', `a/${'b'.repeat(126)}`].map(
      (mediaType) =>
        entryEdge(`no media type ${mediaType.slice(0, 30)}`, 9, pb.Publish, { ...publish, mediaType }, 'refused')
    ),
    ...pair(
      (name, sizeBytes, verdict) => entryEdge(name, 9, pb.Publish, { ...publish, sizeBytes }, verdict),
      ['256 KiB', 262_144],
      ['256 KiB and a byte', 262_145]
    ),
    ...pair(
      (name, documentVersion, verdict) => entryEdge(name, 9, pb.Publish, { ...publish, documentVersion }, verdict),
      ['version 2^53 - 1', 2 ** 53 - 1],
      ['version 0', 0]
    ),
    ...pair(
      (name, n, verdict) => entryEdge(name, 8, pb.Publisher, { publicKey: root.publicKey }, verdict, { n }),
      ['position 2^53 - 1', 2 ** 53 - 1],
      ['position 0', 0]
    ),
    entryEdge('a kind of a newer version, 2^32 - 1', 2 ** 32 - 1, pb.Revoke, { publicKey: root.publicKey }, 'opens')
  ]
})
write('keys', { good: [authority, log, root].map(({ publicKey }) => ({ name: 'of a seed', publicKey })), bad: notKeys })
write(
  'identity',
  [1, 2, 3].map((number) => {
    const key = keyOf(number)
    return {
      seed: key.seed,
      publicKey: key.publicKey,
      peerId: keys.peerIdText(key.publicKey),
      networkId,
      networkIdText: genesis.networkIdText(networkId),
      fingerprint: genesis.networkFingerprint(networkId),
      ulaPrefix: addrs.ulaPrefix(networkId),
      memberAddress: addrs.memberAddress(networkId, key.publicKey)
    }
  })
)

const noted = checkpoint.sealCheckpoint(
  {
    networkId,
    epoch: 1,
    n: 122,
    headHash: bytes(32, 0x22),
    stateRoot: bytes(32, 0x33),
    rows: 40,
    bytes: 9000,
    timeMs: time
  },
  log
)
const note = notes.signNote(noted, log)
const badNotes = [
  ['another number of entries', note.replace('\n123\n', '\n124\n')],
  ['another epoch', note.replace('epoch 1', 'epoch 2')],
  ['signed by another key', notes.signNote(noted, other)],
  ['without the line of the signature', `${notes.noteText(noted)}\n`],
  ['without the empty line', note.replace('\n\n', '\n')],
  [
    'a signature of another kind of key',
    note.replace(/ (\S+)\n$/, (_, text) => ` ${Buffer.from(text, 'base64').fill(9, 0, 4).toString('base64')}\n`)
  ]
]
write('checkpoint-note', {
  networkId,
  origin: notes.noteOrigin(networkId),
  verifierKey: notes.noteVerifierKey(networkId, log.publicKey),
  good: [{ name: 'of a checkpoint', checkpoint: noted.bytes, note }],
  bad: badNotes.map(([name, text]) => ({ name, note: text }))
})

const words = [joiner, other].map((key, index) => {
  const given = cosignature.cosign(noted, key, time + index * 1500)
  const noteLine = noteLines.cosignatureLine(networkId, cosignature.readCosignature(given))
  return {
    seed: key.seed,
    timeMs: time + index * 1500,
    cosignature: given,
    line: noteLine,
    verifierKey: noteLines.witnessVerifierKey(networkId, key.publicKey)
  }
})
const [word] = words.map((each) => each.cosignature)
const lateCheckpoint = checkpoint.sealCheckpoint({ ...noted.value, timeMs: time + 1 }, log)
const withBytes = (given, at) => {
  const changed = word.slice()
  changed.set(given, at)
  return changed
}
write('cosignature', {
  networkId,
  checkpoint: noted.bytes,
  good: words.map((each, index) => ({ name: index === 0 ? 'of one witness' : 'of another one, later', ...each })),
  newer: [],
  bad: [
    [
      'of another checkpoint of the same head',
      'InvalidEnvelopeError',
      cosignature.cosign(lateCheckpoint, joiner, time)
    ],
    ['with the key of another witness', 'InvalidEnvelopeError', withBytes(other.publicKey, 0)],
    ['with another time', 'InvalidEnvelopeError', flip(word, 39)],
    ['with another signature', 'InvalidEnvelopeError', flip(word, 103)],
    [
      'over the lines without the header',
      'InvalidEnvelopeError',
      Uint8Array.from([...word.subarray(0, 40), ...joiner.sign(Buffer.from(notes.noteText(noted)))])
    ],
    ['that is too short', 'InvalidPayloadError', word.subarray(0, 103)],
    ['that is too long', 'InvalidPayloadError', Uint8Array.from([...word, 0])],
    ['of a key that is none', 'InvalidPayloadError', withBytes(offCurve.publicKey, 0)],
    ['of a time that is no number', 'InvalidPayloadError', withBytes(bytes(8, 0xff), 32)],
    ['after the year 9999', 'InvalidPayloadError', withBytes([0, 0, 0, 0x3b], 32)]
  ].map(([name, error, given]) => ({ name, error, cosignature: given }))
})
