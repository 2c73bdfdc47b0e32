// Makes test/fixtures/vectors/state-log.json: a whole log with the state root behind each entry, and entries that must not follow it.
// From fixed seeds, so a second run writes the same. Run after `npm run build`.

import { writeFileSync } from 'node:fs'

const load = (name) => import(new URL(`../dist/src/${name}.js`, import.meta.url).href)
const objects = [
  'genesis',
  'entry',
  'checkpoint',
  'policy/policy',
  'join',
  'receipt',
  'renew-request',
  'rotate',
  'orders/order'
]
const [keys, state, { openProofs, orderedIn }] = await Promise.all(
  ['identity/keys', 'registry/log/state/network-state', 'registry/log/state/proofs'].map(load)
)
const [genesis, entry, checkpoint, policy, join, receipt, renew, rotate, order] = await Promise.all(
  objects.map((name) => load(`registry/objects/${name}`))
)
const { SigningKey } = keys

const keyOf = (number) => SigningKey.fromSeed(new Uint8Array(32).fill(number))
const bytes = (length, fill) => new Uint8Array(length).fill(fill)
const [authority, nextAuthority, firstLog, root, secondary, alpha, beta, inviteKey, newLog, newAlpha] = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10
].map(keyOf)
const start = 1_790_000_000_000
const hour = 3_600_000
const hex = (value) => Buffer.from(value).toString('hex')
const sha256 = async (value) => new Uint8Array(await crypto.subtle.digest('SHA-256', value))

const theGenesis = genesis.sealGenesis(
  {
    domain: 'example.org',
    name: 'Example',
    authorityKey: authority.publicKey,
    nextAuthorityDigest: await sha256(nextAuthority.publicKey),
    logKey: firstLog.publicKey,
    createdMs: start,
    policy: policy.defaultPolicy
  },
  authority
)
const networkId = theGenesis.hash
const envelopes = []
const log = new state.NetworkState(theGenesis, (n) => entry.openEntry(envelopes[n - 1], networkId))
let timeMs = start
let logKey = firstLog
let epoch = 0

const seal = ([kind, body, orders], signer = logKey) => {
  const position = { networkId, n: log.head.n + 1, prevHash: log.head.hash, epoch, timeMs }
  return entry.sealEntry({ ...position, kind, body, ...(orders !== undefined && { orders }) }, signer)
}
/** The entry with the orders of these operators. */
const by = (operators, [kind, body], changes = {}) => {
  const told = { networkId, epoch, seenN: log.head.n, timeMs, ...orderedIn({ kind, body }), ...changes }
  return [kind, body, operators.map((key, i) => order.sealOrder({ ...told, nonce: bytes(16, i + 1) }, key).bytes)]
}

const roots = [hex(log.root())]
function take(content, signer) {
  const signed = seal(content, signer)
  log.check(signed, openProofs(signed.value))
  envelopes.push(signed.bytes)
  log.apply(signed)
  roots.push(hex(log.root()))
  timeMs += 1000
}

const notAfterMs = () => timeMs + policy.defaultPolicy.membershipMs
const grantOf = (fill, changes) => ({
  id: bytes(16, fill),
  inviteKey: inviteKey.publicKey,
  role: 'integrated',
  groups: [],
  uses: 1,
  notAfterMs: start + hour,
  note: '',
  ...changes
})
const admit = (key, name, role, grant, changes = {}) => [
  'admit',
  {
    publicKey: key.publicKey,
    name,
    role,
    notAfterMs: notAfterMs(),
    via: grant === undefined ? 'approved' : 'invite',
    ...(grant !== undefined && { grantId: grant.id }),
    join: join.makeJoin({
      networkId,
      key,
      name,
      role,
      timeMs: start,
      ...(grant !== undefined && { grant, inviteKey })
    }),
    ...changes
  }
]
const joinHashOf = (content) => join.openJoin(content[1].join, networkId).hash
const withReceipt = (content, key, receivedMs) => {
  const value = { networkId, joinHash: joinHashOf(content), timeMs: receivedMs }
  return ['admit', { ...content[1], receipt: receipt.sealReceipt(value, key).bytes }]
}
const renewal = (key) => {
  const request = { networkId, publicKey: key.publicKey, notAfterMs: log.member(key.publicKey).notAfterMs }
  const body = {
    publicKey: key.publicKey,
    notAfterMs: notAfterMs(),
    request: renew.sealRenewRequest(request, key).bytes
  }
  return ['renew', body]
}
const rotation = (from, to) => {
  const request = { networkId, oldKey: from.publicKey, newKey: to.publicKey }
  const [proofOld, proofNew] = [from, to].map((key) => rotate.sealRotateRequest(request, key).bytes)
  return ['rotate', { oldKey: from.publicKey, newKey: to.publicKey, proofOld, proofNew }]
}
const registry = (key, role, removed = false) => ['registrySet', { publicKey: key.publicKey, role, removed }]
const revoke = (key, reason) => {
  const name = log.member(key.publicKey)?.name
  return ['revoke', { publicKey: key.publicKey, reason, ...(name !== undefined && { name }) }]
}
const publish = (documentVersion, publisherKey) => [
  'publish',
  { id: 'plan', documentVersion, mediaType: 'text/plain', digest: bytes(32, 0xd1), sizeBytes: 12, publisherKey }
]

const founder = { publicKey: root.publicKey, name: 'root', role: 'root', notAfterMs: notAfterMs(), via: 'founder' }
const [forSecondary, twice, late, replacing, cancelled, open] = [
  grantOf(0x11, { role: 'secondary', name: 'tnr-2' }),
  grantOf(0x12, { uses: 3, groups: ['web'] }),
  grantOf(0x13),
  grantOf(0x14, { name: 'alpha', replaces: 'alpha' }),
  grantOf(0x15),
  grantOf(0x16, { notAfterMs: start + 24 * hour, uses: 2, note: 'the lab' })
]
take(['admit', founder])
take(registry(root, 'root'))
take(['policy', { ...policy.defaultPolicy, membershipMs: 30 * 24 * hour }])
for (const grant of [forSecondary, twice, late, cancelled]) take(['grant', grant])
take(admit(secondary, 'tnr-2', 'secondary', forSecondary, { notAfterMs: timeMs + 30 * 24 * hour }))
take(registry(secondary, 'secondary'))
take(['policy', policy.defaultPolicy])
take(admit(alpha, 'alpha', 'integrated', twice, { groups: ['web'] }))
take(admit(beta, 'beta', 'integrated', twice, { groups: ['web'] }))
take(['grantEnd', { id: cancelled.id, reason: 'sent to the wrong person' }])
take(revoke(beta, 'stolen'))
take(['grant', replacing])
take(revoke(alpha, 'replaced'))
take(admit(newAlpha, 'alpha', 'integrated', replacing))
timeMs = start + 2 * hour
take(withReceipt(admit(keyOf(11), 'gamma', 'integrated', late), secondary, start + hour - 1))
take(['publisher', { publicKey: newAlpha.publicKey, removed: false }])
take(publish(1, newAlpha.publicKey))
take(publish(2, root.publicKey))
take(['retire', { id: 'plan', reason: 'old' }])
take(rotation(newAlpha, keyOf(12)))
timeMs += 45 * 24 * hour
take(renewal(keyOf(12)))
epoch = 1
logKey = newLog
take(['delegate', { logKey: newLog.publicKey }], authority)
take(registry(root, 'root'))
take(['authority', { authorityKey: nextAuthority.publicKey, nextAuthorityDigest: bytes(32, 0x77) }], nextAuthority)
const change = (key, changes) => {
  const { name, role, groups } = log.member(key.publicKey)
  return ['change', { publicKey: key.publicKey, name, role, groups, ...changes }]
}
const end = (key, reason) => ['end', { publicKey: key.publicKey, reason }]
take(change(keyOf(11), { name: 'gamma-2', groups: ['db', 'web'] }))
take(admit(keyOf(15), 'gamma', 'integrated'))
take(change(keyOf(11), { name: 'gamma-3', role: 'external', groups: [] }))
take(end(keyOf(15), 'not needed'))
take(admit(keyOf(15), 'gamma', 'external'))
timeMs = start + 46 * 24 * hour
const ofToday = { ...open, notAfterMs: timeMs + hour }
take(['grant', ofToday])
take(admit(keyOf(13), 'delta', 'integrated', ofToday))
const ofFleet = grantOf(0x17, { uses: 3, groups: ['ci'], ephemeralMs: hour, notAfterMs: timeMs + hour })
take(['grant', ofFleet])
const inFleet = { groups: ['ci'], ephemeralMs: hour }
take(admit(keyOf(16), 'ci-1', 'integrated', ofFleet, inFleet))
take(end(keyOf(16), 'offline'))
take(admit(keyOf(16), 'ci-1', 'integrated', ofFleet, inFleet))

const [ann, ben] = [keyOf(17), keyOf(18)]
const operator = (key, name, removed = false) => ['operator', { publicKey: key.publicKey, name, removed }]
take(operator(ann, 'ann'))
take(by([ann], operator(ben, 'ben')))
take(by([ben], ['policy', { ...policy.defaultPolicy, twoOperators: [3, 16] }]))
take(by([ann, ben], operator(keyOf(19), 'cid')))
take(by([ben], ['grant', grantOf(0x18, { notAfterMs: timeMs + hour })]))
take(by([keyOf(19), ann], revoke(keyOf(16), 'not ours')))
take(by([ann, ben], operator(keyOf(19), 'cid', true)))

/** Each is well formed and well signed, and must not follow the log. */
const refused = [
  ['a grant by the log key of an older epoch', seal(['grant', grantOf(0x21, { notAfterMs: timeMs })], firstLog)],
  ['an admission by an invite that nobody made', seal(admit(keyOf(14), 'eta', 'integrated', grantOf(0x22)))],
  ['an admission by an invite that is used up', seal(admit(keyOf(14), 'eta', 'integrated', late))],
  ['an admission by an invite that was taken back', seal(admit(keyOf(14), 'eta', 'integrated', cancelled))],
  ['an admission by an invite whose time is over', seal(admit(keyOf(14), 'eta', 'integrated', twice))],
  ['an admission for another role than the invite', seal(admit(keyOf(14), 'eta', 'secondary', ofToday))],
  [
    'a receipt of a member that is no registry',
    seal(withReceipt(admit(keyOf(14), 'eta', 'integrated', ofToday), keyOf(13), timeMs))
  ],
  [
    'a receipt of another day',
    seal(withReceipt(admit(keyOf(14), 'eta', 'integrated', ofToday), secondary, timeMs - 25 * hour))
  ],
  ['an invite with an id that is open', seal(by([ann], ['grant', ofToday]))],
  [
    'an invite for longer than the policy allows',
    seal(by([ann], ['grant', grantOf(0x23, { notAfterMs: timeMs + 40 * 24 * hour })]))
  ],
  ['an invite as root', seal(by([ann], ['grant', grantOf(0x24, { role: 'root' })]))],
  ['the end of an invite that is not open', seal(['grantEnd', { id: cancelled.id, reason: '' }])],
  ['a revocation of the root', seal(by([ann, ben], revoke(root, 'no more')))],
  [
    'a revocation under another name',
    seal(by([ann, ben], ['revoke', { publicKey: keyOf(13).publicKey, reason: '', name: 'epsilon' }]))
  ],
  ['a revocation without the name', seal(by([ann, ben], ['revoke', { publicKey: keyOf(13).publicKey, reason: '' }]))],
  [
    'an admission into other groups than the invite',
    seal(admit(keyOf(14), 'eta', 'integrated', ofFleet, { groups: ['db'] }))
  ],
  ['a name that was given away and taken', seal(by([ann], change(keyOf(11), { name: 'gamma' })))],
  ['a role of root', seal(by([ann], change(keyOf(11), { role: 'root' })))],
  ['another role for a registry of the set', seal(by([ann], change(secondary, { role: 'external' })))],
  ['the end of the membership of the root', seal(end(root, ''))],
  ['a policy for newer versions', seal(by([ann], ['policy', { ...policy.defaultPolicy, criticalKinds: [99] }]))],
  ['an invite that nobody ordered', seal(['grant', grantOf(0x25, { notAfterMs: timeMs })])],
  [
    'an invite that somebody ordered who is an operator no more',
    seal(by([keyOf(19)], ['grant', grantOf(0x25, { notAfterMs: timeMs })]))
  ],
  ['a revocation that one operator ordered, and two have to', seal(by([ann], revoke(keyOf(13), 'stolen')))],
  [
    'a renewal beyond the length of the policy',
    seal(['renew', { ...renewal(keyOf(13))[1], notAfterMs: timeMs + 91 * 24 * hour }])
  ]
].map(([name, signed]) => {
  try {
    log.check(signed, openProofs(signed.value))
  } catch (error) {
    return { name, error: error.name, entry: hex(signed.bytes) }
  }
  throw new Error(`${name} is taken`)
})

const { head } = log
const top = {
  networkId,
  epoch,
  n: head.n,
  headHash: head.hash,
  stateRoot: log.root(),
  rows: log.rows,
  bytes: log.bytes,
  timeMs
}
const content = {
  standing: 'a replica accepts',
  genesis: hex(theGenesis.bytes),
  entries: envelopes.map(hex),
  roots,
  live: log.live(),
  checkpoint: hex(checkpoint.sealCheckpoint(top, newLog).bytes),
  refused
}
writeFileSync(
  new URL('../test/fixtures/vectors/state-log.json', import.meta.url),
  `${JSON.stringify(content, undefined, 2)}\n`
)
