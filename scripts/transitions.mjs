// Makes test/fixtures/vectors/transitions.json: a log, and at each of its heads entries that a replica takes or refuses. From fixed seeds.
// Run after `npm run build`.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'

const source = new URL('../dist/src/', import.meta.url)
const load = (name) => import(new URL(`${name}.js`, source).href)
const [
  keys,
  stateModule,
  proofs,
  entries,
  genesisModule,
  policies,
  joins,
  receipts,
  renewals,
  forgets,
  rotations,
  orderModule,
  replicas,
  database,
  commits,
  runtime
] = await Promise.all(
  [
    'identity/keys',
    'registry/log/state/network-state',
    'registry/log/state/proofs',
    'registry/objects/entry',
    'registry/objects/genesis',
    'registry/objects/policy/policy',
    'registry/objects/join',
    'registry/objects/receipt',
    'registry/objects/renew-request',
    'registry/objects/forget-request',
    'registry/objects/rotate',
    'registry/objects/orders/order',
    'registry/log/replica',
    'registry/store/database',
    'registry/store/group-commit',
    'runtime/clock-and-logger'
  ].map(load)
)

const quiet = { clock: runtime.systemClock, logger: runtime.silentLogger }
const keyOf = (number) => keys.SigningKey.fromSeed(new Uint8Array(32).fill(number))
const [
  authority,
  nextAuthority,
  thirdAuthority,
  log0,
  log1,
  root,
  alice,
  bob,
  bob2,
  second,
  carol,
  inviteKey,
  other,
  dave
] = Array.from({ length: 14 }, (_, index) => keyOf(101 + index))
const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const time = 1_790_000_000_000
const hour = 3_600_000
const skew = 600_000
const policy = {
  ...policies.defaultPolicy,
  membershipMs: 1000 * hour,
  documentBytes: 1000,
  openGrants: 2,
  grantUses: 5,
  grantMs: 24 * hour,
  nameHoldMs: 10 * hour
}
const genesis = genesisModule.sealGenesis(
  {
    domain: 'example.org',
    name: 'Example',
    authorityKey: authority.publicKey,
    nextAuthorityDigest: sha256(nextAuthority.publicKey),
    logKey: log0.publicKey,
    createdMs: time,
    policy
  },
  authority
)
const networkId = genesis.hash
const log = []
const state = new stateModule.NetworkState(genesis, (n) => entries.openEntry(log[n - 1], networkId))
let now = time
let signer = log0
const cases = []

const sealed = (kind, body, changes = {}, key = signer) => {
  const { n, hash, epoch } = state.head
  const position = { networkId, n: n + 1, prevHash: hash, epoch, timeMs: now }
  return entries.sealEntry({ ...position, ...changes, kind, body }, key)
}
const counts = () => ({ root: hex(state.root()), rows: state.rows, bytes: state.bytes })

/** Judges an entry at the present head as a replica does, and takes it back. */
function judge(name, entry) {
  state.begin()
  const mark = state.mark()
  const given = { name, after: log.length, entry: hex(entry.bytes) }
  try {
    state.check(entry, proofs.openProofs(entry.value))
    log.push(entry.bytes)
    state.apply(entry)
    cases.push({ ...given, verdict: 'taken', ...counts() })
    log.pop()
  } catch (error) {
    cases.push({ ...given, verdict: 'refused', error: error.name })
  }
  state.undoTo(mark)
  state.settle()
}
const attempt = (name, kind, body, changes, key) => judge(name, sealed(kind, body, changes, key))

/** Takes the entry into the log. */
function take(name, kind, body, key) {
  const entry = sealed(kind, body, {}, key)
  judge(name, entry)
  if (cases.at(-1).verdict !== 'taken') throw new Error(`${name}: ${cases.at(-1).error}`)
  log.push(entry.bytes)
  state.apply(entry)
}

const joinOf = (key, name, role, invite) => joins.makeJoin({ networkId, key, name, role, timeMs: now, ...invite })
const admitOf = (key, name, role, changes = {}, invite) => ({
  publicKey: key.publicKey,
  name,
  role,
  notAfterMs: now + policy.membershipMs,
  via: 'approved',
  join: joinOf(key, name, role, invite),
  ...changes
})
const grantOf = (fill, changes = {}) => ({
  id: new Uint8Array(16).fill(fill),
  inviteKey: inviteKey.publicKey,
  role: 'integrated',
  groups: [],
  uses: 2,
  notAfterMs: now + 10 * hour,
  note: '',
  ...changes
})
const founder = {
  publicKey: root.publicKey,
  name: 'root',
  role: 'root',
  notAfterMs: now + policy.membershipMs,
  via: 'founder'
}

attempt('position 2 behind the genesis', 'admit', founder, { n: 2 })
attempt('another hash before', 'admit', founder, { prevHash: new Uint8Array(32).fill(7) })
attempt('signed by another key', 'admit', founder, {}, other)
attempt('signed by the authority', 'admit', founder, {}, authority)
attempt('of epoch 1 without a delegation', 'admit', founder, { epoch: 1 })
attempt('a membership longer than the policy and the skew', 'admit', {
  ...founder,
  notAfterMs: now + policy.membershipMs + skew + 1
})
attempt('a membership as long as policy and skew', 'admit', {
  ...founder,
  notAfterMs: now + policy.membershipMs + skew
})
attempt('a membership that has ended', 'admit', { ...founder, notAfterMs: 1 })
attempt('a member before there is a founder', 'admit', admitOf(alice, 'alice', 'integrated'))
attempt('a membership longer than the policy, by the time of the entry', 'admit', founder, { timeMs: 1 })
take('the founder', 'admit', founder)
attempt('a second founder', 'admit', { ...founder, publicKey: other.publicKey, name: 'other' })
attempt('the set without a member', 'registrySet', { publicKey: other.publicKey, role: 'secondary', removed: false })
attempt('removal of a registry that is none', 'registrySet', { publicKey: root.publicKey, role: 'root', removed: true })
take('the root enters the set', 'registrySet', { publicKey: root.publicKey, role: 'root', removed: false })
attempt('a revoke of the root', 'revoke', { publicKey: root.publicKey, reason: '', name: 'root' })
attempt('a revoke of nobody', 'revoke', { publicKey: other.publicKey, reason: '' })
attempt('a revoke of nobody with a name', 'revoke', { publicKey: other.publicKey, reason: '', name: 'other' })
attempt('a grant for a root', 'grant', grantOf(1, { role: 'root' }))
attempt('a grant of more uses than the policy', 'grant', grantOf(1, { uses: 6 }))
attempt(
  'a grant that is open for longer than policy and skew',
  'grant',
  grantOf(1, { notAfterMs: now + policy.grantMs + skew + 1 })
)
attempt('a grant with a name and two uses', 'grant', grantOf(1, { name: 'alice' }))
attempt('the end of a grant that is none', 'grantEnd', { id: new Uint8Array(16).fill(1), reason: '' })
attempt(
  'an admission by a grant that is none',
  'admit',
  admitOf(
    alice,
    'alice',
    'integrated',
    { via: 'invite', grantId: new Uint8Array(16).fill(1) },
    { grant: grantOf(1), inviteKey }
  )
)
take('a grant of two uses', 'grant', grantOf(1))
attempt('a grant with the id of one that is open', 'grant', grantOf(1, { note: 'again' }))
const byGrant = (key, name, role = 'integrated', changes = {}, invite = { grant: grantOf(1), inviteKey }) =>
  admitOf(key, name, role, { via: 'invite', grantId: new Uint8Array(16).fill(1), ...changes }, invite)
attempt('an admission by invite, whose join is of another role', 'admit', {
  ...byGrant(alice, 'alice'),
  role: 'external'
})
attempt('an admission by invite for another role than the grant', 'admit', byGrant(alice, 'alice', 'external'))
attempt(
  'an admission by invite with another invite key',
  'admit',
  byGrant(alice, 'alice', 'integrated', {}, { grant: grantOf(1, { inviteKey: other.publicKey }), inviteKey: other })
)
attempt('an admission whose join has another name', 'admit', { ...admitOf(alice, 'alice', 'integrated'), name: 'bob' })
attempt('an admission whose join is of another key', 'admit', {
  ...admitOf(alice, 'alice', 'integrated'),
  publicKey: bob.publicKey
})
attempt('an admission by the operator of what the joiner did not ask for', 'admit', {
  ...admitOf(alice, 'alice', 'integrated'),
  role: 'external'
})
attempt('a name that is taken', 'admit', admitOf(alice, 'root', 'integrated'))
attempt('an admission after the end of the grant', 'admit', byGrant(alice, 'alice'), { timeMs: now + 10 * hour + 1 })
const receiptBy = (key, join, timeMs) =>
  receipts.sealReceipt({ networkId, joinHash: joins.openJoin(join, networkId).hash, timeMs }, key).bytes
const late = (key, timeMs, at) => {
  const admit = byGrant(alice, 'alice')
  return [{ ...admit, receipt: receiptBy(key, admit.join, timeMs) }, { timeMs: at }]
}
attempt(
  'after the end of the grant, with a receipt of the root of before',
  'admit',
  ...late(root, now + 9 * hour, now + 20 * hour)
)
attempt('with a receipt of nobody in the set', 'admit', ...late(other, now + 9 * hour, now + 20 * hour))
attempt('with a receipt that is older than 24 h', 'admit', ...late(root, now, now + 24 * hour + 1))
attempt('with a receipt from beyond the skew', 'admit', ...late(root, now + skew + 1, now))
take('alice, by the grant', 'admit', byGrant(alice, 'alice'))
take('bob, by the operator', 'admit', admitOf(bob, 'bob', 'external'))
take('a secondary, by the operator', 'admit', admitOf(second, 'second', 'secondary'))
take('the secondary enters the set', 'registrySet', { publicKey: second.publicKey, role: 'secondary', removed: false })
attempt('the last use of the grant closes it', 'admit', byGrant(carol, 'carol'))
attempt('the grant is ended', 'grantEnd', { id: new Uint8Array(16).fill(1), reason: 'enough' })
attempt('bob is admitted again under his name', 'admit', admitOf(bob, 'bob', 'integrated'))
attempt('bob takes another name', 'admit', admitOf(bob, 'bobby', 'integrated'))

now += 100 * hour
const renewOf = (key, asked, notAfterMs) => ({
  publicKey: key.publicKey,
  notAfterMs,
  request: renewals.sealRenewRequest({ networkId, publicKey: key.publicKey, notAfterMs: asked }, key).bytes
})
const end = state.member(alice.publicKey).notAfterMs
attempt('a renewal of nobody', 'renew', renewOf(other, end, end + hour))
attempt('a renewal that is shorter', 'renew', renewOf(alice, end, end - 1))
attempt('a renewal that changes nothing', 'renew', renewOf(alice, end, end))
attempt('a renewal for another membership', 'renew', renewOf(alice, end - 1, end + hour))
attempt('a renewal longer than policy and skew', 'renew', renewOf(alice, end, now + policy.membershipMs + skew + 1))
attempt('a renewal that another key asked for', 'renew', {
  ...renewOf(bob, end, end + hour),
  publicKey: alice.publicKey
})
take('alice is renewed', 'renew', renewOf(alice, end, now + policy.membershipMs))

const rotateOf = (from, to, changes = {}) => {
  const request = { networkId, oldKey: from.publicKey, newKey: to.publicKey }
  const by = (key) => rotations.sealRotateRequest(request, key).bytes
  return { oldKey: from.publicKey, newKey: to.publicKey, proofOld: by(from), proofNew: by(to), ...changes }
}
attempt('a rotation of nobody', 'rotate', rotateOf(other, carol))
attempt('a rotation to a member', 'rotate', rotateOf(bob, alice))
attempt(
  'a rotation without the word of the new key',
  'rotate',
  rotateOf(bob, bob2, { proofNew: rotateOf(bob, bob2).proofOld })
)
take('bob goes on with another key', 'rotate', rotateOf(bob, bob2))
attempt('the old key of a rotation is admitted', 'admit', admitOf(bob, 'again', 'integrated'))
attempt('a rotation to a key that is revoked', 'rotate', rotateOf(alice, bob))

const documentOf = (changes = {}) => ({
  id: 'motd',
  documentVersion: 1,
  mediaType: 'text/plain',
  digest: sha256(Buffer.from('hello')),
  sizeBytes: 600,
  publisherKey: alice.publicKey,
  ...changes
})
attempt('a document of nobody who may', 'publish', documentOf())
attempt('a document of the root', 'publish', documentOf({ publisherKey: root.publicKey }))
attempt('a document of a secondary', 'publish', documentOf({ publisherKey: second.publicKey }))
attempt('a document of the log key', 'publish', documentOf({ publisherKey: log0.publicKey }))
attempt('a document of the authority', 'publish', documentOf({ publisherKey: authority.publicKey }))
attempt('removal of a publisher that is none', 'publisher', { publicKey: alice.publicKey, removed: true })
attempt('a publisher that is no member', 'publisher', { publicKey: other.publicKey, removed: false })
take('alice may publish', 'publisher', { publicKey: alice.publicKey, removed: false })
take('a policy by which every registry may publish', 'policy', { ...policy, publishing: 'registries' })
attempt('a document of a secondary, by that policy', 'publish', documentOf({ publisherKey: second.publicKey }))
attempt('a document of a publisher, by that policy', 'publish', documentOf())
attempt('a document of a member, by that policy', 'publish', documentOf({ publisherKey: bob.publicKey }))
take('a policy by which the root alone may publish', 'policy', { ...policy, publishing: 'root' })
attempt('a document of a publisher, where the root alone may', 'publish', documentOf())
attempt('a document of the root, where it alone may', 'publish', documentOf({ publisherKey: root.publicKey }))
take('the first policy again', 'policy', policy)
attempt('a publisher for the second time', 'publisher', { publicKey: alice.publicKey, removed: false })
attempt('version 2 of a new document', 'publish', documentOf({ documentVersion: 2 }))
attempt('a document beyond the quota', 'publish', documentOf({ sizeBytes: 1001 }))
attempt('the end of a document that is none', 'retire', { id: 'motd', reason: '' })
take('a document', 'publish', documentOf())
attempt('version 1 again', 'publish', documentOf())
attempt('a second document beyond the quota of both', 'publish', documentOf({ id: 'other', sizeBytes: 401 }))
attempt('a second document within the quota of both', 'publish', documentOf({ id: 'other', sizeBytes: 400 }))
attempt(
  'version 2, which does not count beside version 1',
  'publish',
  documentOf({ documentVersion: 2, sizeBytes: 1000 })
)
take('the document is retired', 'retire', { id: 'motd', reason: 'old' })
attempt('it is retired twice', 'retire', { id: 'motd', reason: '' })
attempt('version 2 after the end of version 1', 'publish', documentOf({ documentVersion: 2 }))
attempt('version 1 after the end of version 1', 'publish', documentOf())

attempt('a revoke without the name of the member', 'revoke', { publicKey: alice.publicKey, reason: '' })
attempt('a revoke with another name', 'revoke', { publicKey: alice.publicKey, reason: '', name: 'bob' })
const endOf = (key, changes = {}) => ({ publicKey: key.publicKey, reason: '', ...changes })
const askedBy = (key, membership) => ({
  request: forgets.sealForgetRequest({ networkId, publicKey: key.publicKey, membership }, key).bytes
})
const membershipOf = (key) => state.member(key.publicKey).admit.hash
attempt('the end of a membership that is none', 'end', endOf(other))
attempt('the end of the membership of the root', 'end', endOf(root))
attempt('the end of a membership', 'end', endOf(alice))
attempt('an end that another member asks for', 'end', endOf(alice, askedBy(bob2, membershipOf(bob2))))
attempt('an end that the member asks for', 'end', endOf(alice, askedBy(alice, membershipOf(alice))))
attempt('an end that the member asked for in another membership', 'end', endOf(alice, askedBy(alice, networkId)))
attempt('the end of the membership of an old key', 'end', endOf(bob))
attempt('the end of the membership of a registry', 'end', endOf(second))
const changeOf = (key, changes = {}) => {
  const { name, role, groups } = state.member(key.publicKey) ?? { name: 'nobody', role: 'external', groups: [] }
  return { publicKey: key.publicKey, name, role, groups, ...changes }
}
attempt('a change of nobody', 'change', changeOf(other))
attempt('a change that changes nothing', 'change', changeOf(alice))
attempt('a new name', 'change', changeOf(alice, { name: 'alicia' }))
attempt('a new name that another member has', 'change', changeOf(alice, { name: 'bob' }))
attempt('another role', 'change', changeOf(alice, { role: 'external' }))
attempt('a member becomes a secondary', 'change', changeOf(alice, { role: 'secondary' }))
attempt('a member becomes the root', 'change', changeOf(alice, { role: 'root' }))
attempt('the root gets another name', 'change', changeOf(root, { name: 'top' }))
attempt('the root gets another role', 'change', changeOf(root, { role: 'integrated' }))
attempt('a registry of the set gets another role', 'change', changeOf(second, { role: 'integrated' }))
attempt('groups', 'change', changeOf(alice, { groups: ['db', 'web'] }))
take('bob gets another name', 'change', changeOf(bob2, { name: 'bert', groups: ['web'] }))
take('another one takes his name', 'admit', admitOf(dave, 'bob', 'integrated'))
take('bob gets a third name', 'change', changeOf(bob2, { name: 'bob3', groups: ['web'] }))
attempt('he takes his first name back', 'change', changeOf(bob2, { name: 'bob' }))
attempt('a revoke under a name of before', 'revoke', { publicKey: bob2.publicKey, reason: '', name: 'bert' })
take('the registry leaves the set', 'registrySet', { publicKey: second.publicKey, role: 'secondary', removed: true })
attempt('it gets another role then', 'change', changeOf(second, { role: 'integrated' }))
take('alice is revoked', 'revoke', { publicKey: alice.publicKey, reason: 'stolen', name: 'alice' })
attempt('she is revoked twice', 'revoke', { publicKey: alice.publicKey, reason: '' })
attempt('she is admitted again', 'admit', admitOf(alice, 'alice2', 'integrated'))
attempt('another member takes her name', 'change', changeOf(bob2, { name: 'alice' }))
attempt('another member takes her name after its time', 'change', changeOf(bob2, { name: 'alice' }), {
  timeMs: now + 10 * hour
})
attempt('her name right behind the revoke', 'admit', admitOf(carol, 'alice', 'integrated'))
take('a grant that replaces her', 'grant', grantOf(2, { name: 'alice', replaces: 'alice', uses: 1 }))
attempt('her name within its time', 'admit', admitOf(carol, 'alice', 'integrated'), { timeMs: now + 10 * hour - 1 })
attempt('her name after its time', 'admit', admitOf(carol, 'alice', 'integrated'), { timeMs: now + 10 * hour })
attempt(
  'her name by the grant that replaces her',
  'admit',
  admitOf(
    carol,
    'alice',
    'integrated',
    { via: 'invite', grantId: new Uint8Array(16).fill(2) },
    { grant: grantOf(2), inviteKey }
  )
)
attempt('more grants than the policy allows', 'grant', grantOf(3))

attempt('a policy that asks for witnesses', 'policy', { ...policy, witnesses: 1, witnessGraceMs: hour / 2 })
attempt('a policy whose rules allow what a test forbids', 'policy', {
  ...policy,
  tests: [{ from: 'web', to: 'db', service: 'ssh', allowed: false }]
})
attempt('a policy whose rules do not allow what a test demands', 'policy', {
  ...policy,
  rules: [{ from: 'web', to: 'db', service: 'postgres' }],
  tests: [{ from: '*', to: 'db', service: 'postgres', allowed: true }]
})
attempt('a policy whose rules pass its tests', 'policy', {
  ...policy,
  rules: [{ from: 'web', to: 'db', service: 'postgres' }],
  tests: [
    { from: 'web', to: 'db', service: 'postgres', allowed: true },
    { from: 'web', to: 'db', service: 'ssh', allowed: false },
    { from: 'db', to: 'web', service: 'postgres', allowed: false },
    { from: '*', to: 'db', service: 'postgres', allowed: false }
  ]
})
attempt('a policy that names witnesses and needs none', 'policy', { ...policy, witnessKeys: [second.publicKey] })
take('another policy', 'policy', { ...policy, openGrants: 3 })
attempt('a grant that the new policy allows', 'grant', grantOf(3))
take('a grant of five uses with groups, for members that go when they are offline', 'grant', {
  ...grantOf(4, { uses: 5, groups: ['ci'], ephemeralMs: hour })
})
const byFour = (key, name, changes = {}) =>
  admitOf(
    key,
    name,
    'integrated',
    { via: 'invite', grantId: new Uint8Array(16).fill(4), groups: ['ci'], ephemeralMs: hour, ...changes },
    { grant: grantOf(4), inviteKey }
  )
attempt('an admission into no group of the grant', 'admit', byFour(carol, 'carol', { groups: [] }))
attempt(
  'an admission into a group that the grant does not have',
  'admit',
  byFour(carol, 'carol', { groups: ['ci', 'db'] })
)
attempt(
  'an admission that does not end when the grant says so',
  'admit',
  byFour(carol, 'carol', { ephemeralMs: undefined })
)
attempt('groups by the word of the operator', 'admit', admitOf(carol, 'carol', 'integrated', { groups: ['db'] }))
attempt(
  "groups without anybody's word",
  'admit',
  admitOf(carol, 'carol', 'integrated', { via: 'open', groups: ['db'] })
)
take('carol, by the grant', 'admit', byFour(carol, 'carol'))
take('her membership ends', 'end', endOf(carol, { reason: 'offline' }))
attempt('her name is free', 'admit', admitOf(other, 'carol', 'integrated'))
attempt('a renewal of what has ended', 'renew', renewOf(carol, now + policy.membershipMs, now + policy.membershipMs))
take('she comes back by the grant', 'admit', byFour(carol, 'carol'))
take('the grant is ended', 'grantEnd', { id: new Uint8Array(16).fill(4), reason: '' })
take('dave ends', 'end', endOf(dave))
attempt('dave is let in again by the operator', 'admit', admitOf(dave, 'dave', 'integrated'))
take('a grant of three uses', 'grant', grantOf(5, { uses: 3 }))
const byFive = (key, name) =>
  admitOf(
    key,
    name,
    'integrated',
    { via: 'invite', grantId: new Uint8Array(16).fill(5) },
    { grant: grantOf(5), inviteKey }
  )
take('dave, by that grant', 'admit', byFive(dave, 'dave'))
take('dave ends again', 'end', endOf(dave))
attempt('the grant does not let him in again', 'admit', byFive(dave, 'dave'))
attempt('it lets others in', 'admit', byFive(other, 'dave'))

judge(
  'a kind of a newer version',
  entries.sealEntry(
    {
      networkId,
      n: state.head.n + 1,
      prevHash: state.head.hash,
      epoch: 0,
      timeMs: now,
      kind: 'unknown',
      kindNumber: 99,
      body: Uint8Array.of(8, 1)
    },
    signer
  )
)

attempt('a delegation signed by the log key', 'delegate', { logKey: log1.publicKey }, { epoch: 1 })
attempt('a delegation of the same epoch', 'delegate', { logKey: log1.publicKey }, {}, authority)
attempt('a delegation to the log key that is', 'delegate', { logKey: log0.publicKey }, { epoch: 1 }, authority)
attempt('a delegation that leaves an epoch out', 'delegate', { logKey: log1.publicKey }, { epoch: 7 }, authority)
const delegate = sealed('delegate', { logKey: log1.publicKey }, { epoch: 1 }, authority)
judge('a new epoch', delegate)
log.push(delegate.bytes)
state.apply(delegate)
attempt('the old log key goes on', 'revoke', { publicKey: carol.publicKey, reason: '' }, { epoch: 0 })
attempt('the old log key makes a member a secondary', 'change', changeOf(bob2, { role: 'secondary' }), { epoch: 0 })
attempt('the old log key ends a membership', 'end', endOf(bob2), { epoch: 0 })
attempt('the old log key makes a member a secondary in the new epoch', 'change', changeOf(bob2, { role: 'secondary' }))
attempt('the old log key signs for the new epoch', 'revoke', { publicKey: carol.publicKey, reason: '' })
attempt(
  'a revoke of the root that the epoch before entered',
  'revoke',
  { publicKey: root.publicKey, reason: '', name: 'root' },
  {},
  log1
)
attempt(
  'a document of the log key of an older epoch',
  'publish',
  documentOf({ id: 'other', publisherKey: log0.publicKey }),
  {},
  log1
)
attempt(
  'an authority that nobody committed to',
  'authority',
  { authorityKey: other.publicKey, nextAuthorityDigest: sha256(thirdAuthority.publicKey) },
  {},
  other
)
signer = log1
take(
  'a new authority',
  'authority',
  { authorityKey: nextAuthority.publicKey, nextAuthorityDigest: sha256(thirdAuthority.publicKey) },
  nextAuthority
)
attempt('a delegation by the authority of before', 'delegate', { logKey: other.publicKey }, { epoch: 2 }, authority)
attempt(
  'a delegation by the authority that counts',
  'delegate',
  { logKey: other.publicKey },
  { epoch: 2 },
  nextAuthority
)
attempt(
  'a delegation to the log key of an older epoch',
  'delegate',
  { logKey: log0.publicKey },
  { epoch: 2 },
  nextAuthority
)

// Operators, in epoch 1.
const [ann, ben, cid] = [keyOf(120), keyOf(121), keyOf(122)]
const operatorOf = (key, name, removed = false) => ({ publicKey: key.publicKey, name, removed })
let nonces = 0
const nextNonce = () => new Uint8Array(16).fill(++nonces)
/** The entry with the orders of these operators, which say `changes` of themselves. */
const by = (operators, kind, body, changes = {}) => {
  const { epoch, n } = state.head
  const told = { networkId, epoch, seenN: n, timeMs: now, ...proofs.orderedIn({ kind, body }), ...changes }
  return { orders: operators.map((key) => orderModule.sealOrder({ ...told, nonce: nextNonce() }, key).bytes) }
}
const ordered = (name, operators, kind, body, changes) => attempt(name, kind, body, by(operators, kind, body, changes))
const takeOrdered = (name, operators, kind, body) => {
  const entry = sealed(kind, body, by(operators, kind, body))
  judge(name, entry)
  if (cases.at(-1).verdict !== 'taken') throw new Error(`${name}: ${cases.at(-1).error}`)
  log.push(entry.bytes)
  state.apply(entry)
}
ordered('an order in a network without operators', [ann], 'policy', policy)
attempt('removal of an operator who is none', 'operator', operatorOf(ann, 'ann', true))
attempt('an operator whose key is revoked', 'operator', operatorOf(bob, 'bob'))
attempt('acts for two operators without two', 'policy', { ...policy, twoOperators: [3] })
take('the first operator, whom nobody has to order', 'operator', operatorOf(ann, 'ann'))
const settle = (count) => {
  for (let i = 0; i < count; i++)
    take(`the root says once more that it is the root, ${i + 1}`, 'registrySet', {
      publicKey: root.publicKey,
      role: 'root',
      removed: false
    })
}
attempt('right behind a delegation an operator that nobody ordered', 'operator', operatorOf(ben, 'ben'))
settle(8)
attempt('an operator that nobody ordered', 'operator', operatorOf(ben, 'ben'))
attempt('a grant that nobody ordered', 'grant', grantOf(9))
attempt('a change that nobody ordered', 'change', changeOf(second))
attempt('a policy that nobody ordered', 'policy', policy)
attempt('a revoke that nobody ordered', 'revoke', {
  publicKey: alice.publicKey,
  reason: '',
  name: state.member(alice.publicKey)?.name
})
ordered('an operator that another key ordered', [ben], 'operator', operatorOf(ben, 'ben'))
ordered('the operator once more', [ann], 'operator', operatorOf(ann, 'anna'))
ordered('another operator with the name', [ann], 'operator', operatorOf(ben, 'ann'))
ordered('removal of the last operator', [ann], 'operator', operatorOf(ann, 'ann', true))
ordered('an order for another kind', [ann], 'operator', operatorOf(ben, 'ben'), { kind: 12 })
ordered('an order for another body', [ann], 'operator', operatorOf(ben, 'ben'), { digest: sha256(Buffer.from('x')) })
ordered('an order of another epoch', [ann], 'operator', operatorOf(ben, 'ben'), { epoch: 0 })
ordered('an order that knows an entry that is not there', [ann], 'operator', operatorOf(ben, 'ben'), {
  seenN: state.head.n + 1
})
ordered('an order from as long ago as the skew', [ann], 'operator', operatorOf(ben, 'ben'), { timeMs: now - skew })
ordered('an order that is older than the skew', [ann], 'operator', operatorOf(ben, 'ben'), { timeMs: now - skew - 1 })
ordered('an order from beyond the skew', [ann], 'operator', operatorOf(ben, 'ben'), { timeMs: now + skew + 1 })
ordered('the order of one operator twice', [ann, ann], 'operator', operatorOf(ben, 'ben'))
takeOrdered('a second operator', [ann], 'operator', operatorOf(ben, 'ben'))
ordered('orders of two where one is enough', [ann, ben], 'operator', operatorOf(cid, 'cid'))
const before = state.head.n
takeOrdered('a policy by which revokes need two operators', [ann], 'policy', { ...policy, twoOperators: [3, 15] })
ordered('a policy by one who has not seen the last one', [ben], 'policy', policy, { seenN: before })
ordered('removal of one of two whom the policy asks for', [ann], 'operator', operatorOf(ben, 'ben', true))
const revokeOfSecond = { publicKey: second.publicKey, reason: '', name: state.member(second.publicKey)?.name }
attempt('a revoke without orders, where two are due', 'revoke', revokeOfSecond)
ordered('a revoke with one order, where two are due', [ann], 'revoke', revokeOfSecond)
ordered('a revoke with the orders of one operator', [ann, ann], 'revoke', revokeOfSecond)
ordered('a revoke with the orders of two operators', [ann, ben], 'revoke', revokeOfSecond)
const twoTimes = (firstMs) => {
  const first = by([ann], 'revoke', revokeOfSecond, { timeMs: firstMs }).orders
  return { orders: [...first, ...by([ben], 'revoke', revokeOfSecond).orders] }
}
attempt('a revoke whose first order has waited for a day', 'revoke', revokeOfSecond, twoTimes(now - 24 * hour))
attempt('a revoke whose first order has waited for more', 'revoke', revokeOfSecond, twoTimes(now - 24 * hour - 1))
takeOrdered('a policy by which one operator is enough', [ben], 'policy', policy)
ordered('an admission by the word of an operator', [ann], 'admit', admitOf(dave, 'dave', 'integrated'))
ordered('an admission by an order for another join', [ann], 'admit', admitOf(dave, 'dave', 'integrated'), {
  digest: sha256(Buffer.from('x'))
})
takeOrdered('the first operator is removed by the second', [ben], 'operator', operatorOf(ann, 'ann', true))
ordered('an order of one who is an operator no more', [ann], 'policy', policy)

// What each refusal of docs/protocols/log-rules.md still needs. Now: ben is the only operator, carol a member by an ephemeral grant.
const enter = (kind, body, operators = []) => {
  const entry = sealed(kind, body, operators.length > 0 ? by(operators, kind, body) : {})
  state.check(entry, proofs.openProofs(entry.value))
  log.push(entry.bytes)
  state.apply(entry)
}
const setOf = (key, role, removed = false) => ({ publicKey: key.publicKey, role, removed })
const idOf = (fill) => new Uint8Array(16).fill(fill)
attempt('a publisher whose key is revoked', 'publisher', { publicKey: bob.publicKey, removed: false })
attempt('a publisher is removed, whose key is revoked', 'publisher', { publicKey: alice.publicKey, removed: true })
attempt(
  'an open admission, where the policy says invite',
  'admit',
  admitOf(dave, 'dave', 'integrated', { via: 'open' })
)
attempt('an admission as root by the operator', 'admit', admitOf(dave, 'dave', 'root'))
const fiveWith = (receipt) => {
  const admit = byFive(other, 'dave')
  return { ...admit, receipt: receipt(admit.join) }
}
attempt(
  'a receipt of another join',
  'admit',
  fiveWith(() => receiptBy(root, joinOf(dave, 'dave', 'integrated'), now))
)
attempt(
  'a receipt from as far as the skew',
  'admit',
  fiveWith((join) => receiptBy(root, join, now + skew))
)
attempt('a membership by the grant that is longer than the policy and the skew', 'admit', {
  ...byFive(other, 'dave'),
  notAfterMs: now + policy.membershipMs + skew + 1
})
take('the first grant is ended', 'grantEnd', { id: idOf(1), reason: '' })
take('the grant that replaces alice is ended', 'grantEnd', { id: idOf(2), reason: '' })
ordered('a grant that replaces somebody, with two uses', [ben], 'grant', grantOf(6, { replaces: 'carol' }))
takeOrdered('a grant that replaces carol', [ben], 'grant', grantOf(6, { replaces: 'carol', uses: 1 }))
const bySix = (key, name) =>
  admitOf(key, name, 'integrated', { via: 'invite', grantId: idOf(6) }, { grant: grantOf(6), inviteKey })
attempt('in the place of a member that is not revoked', 'admit', bySix(dave, 'dave'))
attempt('a member in its own place', 'admit', bySix(carol, 'carol'))
ordered('a policy for newer versions', [ben], 'policy', { ...policy, criticalKinds: [17] })
ordered('a policy that needs kinds of this version', [ben], 'policy', { ...policy, criticalKinds: [1, 16] })

// The set of registries.
take('the registry comes back into the set', 'registrySet', setOf(second, 'secondary'))
attempt('a registry goes on with another key', 'rotate', rotateOf(second, other))
attempt('a member that is no registry enters the set', 'registrySet', setOf(bob2, 'secondary'))
take('the registry becomes the root', 'registrySet', setOf(second, 'root'))
attempt('a revoke of the root that was replaced', 'revoke', { publicKey: root.publicKey, reason: '', name: 'root' })
attempt('a revoke of the new root', 'revoke', { publicKey: second.publicKey, reason: '', name: 'second' })
attempt('the end of the membership of the new root', 'end', endOf(second))
attempt('the end of the membership of the root that was replaced', 'end', endOf(root))
attempt('the new root leaves the set', 'registrySet', setOf(second, 'root', true))

// Orders of operators who have not seen the last change.
const stale = (name, kind, body, n) => ordered(name, [ben], kind, body, { seenN: n - 1 })
const changedNow = state.head.n
stale('a registry is removed by one who has not seen it enter', 'registrySet', setOf(second, 'root', true), changedNow)
const grantN = state.grant(idOf(6)).n
stale('a grant is ended by one who has not seen it', 'grantEnd', { id: idOf(6), reason: '' }, grantN)
take('bob3 may publish', 'publisher', { publicKey: bob2.publicKey, removed: false })
const publisherOff = { publicKey: bob2.publicKey, removed: true }
stale('a publisher is removed by one who has not seen it enter', 'publisher', publisherOff, state.head.n)
take('a document once more', 'publish', documentOf({ documentVersion: 2, publisherKey: bob2.publicKey }))
stale('a document is retired by one who has not seen it', 'retire', { id: 'motd', reason: '' }, state.head.n)
takeOrdered('carol gets a group', [ben], 'change', changeOf(carol, { groups: ['web'] }))
const { admit: admitOfCarol, change: changeOfCarol } = state.member(carol.publicKey)
const carolN = (changeOfCarol ?? admitOfCarol).value.n
stale('a change by one who has not seen the last one', 'change', changeOf(carol), carolN)
stale(
  'a revoke by one who has not seen the change',
  'revoke',
  { publicKey: carol.publicKey, reason: '', name: 'carol' },
  carolN
)
stale('an end by one who has not seen the change', 'end', endOf(carol), carolN)
stale('an admission by one who has not seen the change', 'admit', admitOf(carol, 'carol', 'integrated'), carolN)
takeOrdered('a second operator again', [ben], 'operator', operatorOf(cid, 'cid'))
stale(
  'an operator is removed by one who has not seen him enter',
  'operator',
  operatorOf(cid, 'cid', true),
  state.head.n
)
ordered('an operator is removed under another name', [ben], 'operator', operatorOf(cid, 'ann', true))
ordered('an operator with the key of a member', [ben], 'operator', operatorOf(carol, 'carol'))

// Everything needs two operators, where a person causes it.
const everything = Array.from({ length: 16 }, (_, index) => index + 1)
takeOrdered('a policy by which all kinds need two operators', [ben], 'policy', { ...policy, twoOperators: everything })
const carolEnd = state.member(carol.publicKey).notAfterMs
attempt('a renewal without orders, where two are due', 'renew', renewOf(carol, carolEnd, carolEnd))
attempt('a rotation without orders, where two are due', 'rotate', rotateOf(carol, other))
attempt('an admission by the grant without orders, where two are due', 'admit', byFive(other, 'dave'))
attempt('an admission of the same member without orders', 'admit', admitOf(second, 'second', 'root'))
attempt('an admission without orders, where two are due', 'admit', admitOf(dave, 'dave', 'integrated'))
attempt('an open admission without orders', 'admit', admitOf(dave, 'dave', 'integrated', { via: 'open' }))
attempt('a revoke of the name that an open grant replaces, without orders', 'revoke', {
  publicKey: carol.publicKey,
  reason: '',
  name: 'carol'
})
const revokeOfBob3 = { publicKey: bob2.publicKey, reason: '', name: 'bob3' }
attempt('a revoke of another name without orders', 'revoke', revokeOfBob3)
attempt('the end of an ephemeral membership without orders', 'end', endOf(carol))
attempt('the end of another membership without orders', 'end', endOf(bob2))
attempt('an end that the member asks for, without orders', 'end', endOf(bob2, askedBy(bob2, membershipOf(bob2))))
attempt('a registry enters the set without orders', 'registrySet', setOf(second, 'secondary'))
attempt('a registry leaves the set without orders', 'registrySet', setOf(second, 'root', true))
const grantEndMs = state.grant(idOf(6)).grant.notAfterMs
const late24 = grantEndMs + 24 * hour + skew
attempt(
  'a grant is ended without orders, a day after its end',
  'grantEnd',
  { id: idOf(6), reason: '' },
  { timeMs: late24 }
)
attempt('a grant is ended without orders, later', 'grantEnd', { id: idOf(6), reason: '' }, { timeMs: late24 + 1 })
attempt('a document without orders', 'publish', documentOf({ documentVersion: 3, publisherKey: bob2.publicKey }))
attempt('a document is retired without orders', 'retire', { id: 'motd', reason: '' })
attempt('a publisher is removed without orders', 'publisher', publisherOff)
attempt('a delegation without orders', 'delegate', { logKey: other.publicKey }, { epoch: 2 }, nextAuthority)
ordered('a grant with one order, where two are due', [ben], 'grant', grantOf(9))
ordered('a change with one order, where two are due', [ben], 'change', changeOf(carol))
ordered('an operator with one order, where two are due', [ben], 'operator', operatorOf(ann, 'ann'))
ordered('a policy with one order, where two are due', [ben], 'policy', policy)
takeOrdered('one operator is enough again', [ben, cid], 'policy', policy)

// As many operators as there may be.
for (let i = 0; i < 62; i++) enter('operator', operatorOf(keyOf(130 + i), `o${i}`), [ben])
ordered('one operator more than there may be', [ben], 'operator', operatorOf(ann, 'ann'))

attempt(
  'an admission whose join another invite key signed',
  'admit',
  admitOf(other, 'erin', 'integrated', { via: 'invite', grantId: idOf(5) }, { grant: grantOf(5), inviteKey: other })
)
attempt('an admission whose join is for another grant', 'admit', {
  ...bySix(other, 'erin'),
  grantId: idOf(5)
})
take('the grant that replaces carol is ended', 'grantEnd', { id: idOf(6), reason: '' })
const seven = grantOf(7, { name: 'erin', uses: 1 })
takeOrdered('a grant for one name', [ben], 'grant', seven)
const bySeven = (name) =>
  admitOf(other, name, 'integrated', { via: 'invite', grantId: idOf(7) }, { grant: seven, inviteKey })
attempt('an admission under another name than that of the grant', 'admit', bySeven('frank'))
attempt('an admission under the name of the grant', 'admit', bySeven('erin'))
attempt('a renewal of a key that is revoked', 'renew', renewOf(alice, carolEnd, carolEnd))
attempt('a rotation of a key that is revoked', 'rotate', rotateOf(alice, other))
attempt('a document of a publisher whose key is revoked', 'publish', documentOf({ documentVersion: 3 }))

// New epochs that branch off below the head.
const below = async (name, n, epoch, key, logKey = other) => {
  const prevHash = n === 1 ? networkId : entries.openEntry(log[n - 2], networkId).hash
  const position = { networkId, n, prevHash, epoch, timeMs: now }
  const entry = entries.sealEntry({ ...position, kind: 'delegate', body: { logKey: logKey.publicKey } }, key)
  const given = { name, after: log.length, entry: hex(entry.bytes) }
  const { replica, close } = await openReplica()
  await replica.apply(log)
  try {
    await replica.apply([entry.bytes])
    const { rows, bytes } = replica.state
    cases.push({ ...given, verdict: 'taken', root: hex(replica.state.root()), rows, bytes })
  } catch (error) {
    cases.push({ ...given, verdict: 'refused', error: error.name })
  }
  close()
}
const openReplica = async () => {
  const folder = mkdtempSync(joinPath(tmpdir(), 'transitions-'))
  const db = database.openDatabase(joinPath(folder, 'registry.db'))
  const commit = new commits.GroupCommit(db)
  const replica = await replicas.openReplica({ db, commit, genesis: genesis.bytes, ...quiet })
  const close = () => {
    commit.close()
    db.close()
    rmSync(folder, { recursive: true })
  }
  return { replica, close }
}
const authorityN = state.keys.epochs.at(-1).forkN + 2
await below('a new epoch from below the head', authorityN + 2, 2, nextAuthority)
await below('a new epoch right behind the entry of the authority', authorityN + 1, 2, nextAuthority)
await below('a new epoch that takes the authority back', authorityN, 2, authority)
await below('the present epoch once more, from below the head', authorityN + 2, 1, nextAuthority)
await below('a new epoch from below the head, signed by the log key', authorityN + 2, 2, log1)
await below('a new epoch from below the head, to a log key of before', authorityN + 2, 2, nextAuthority, log0)

const file = { genesis: hex(genesis.bytes), networkId: hex(networkId), log: log.map(hex), head: counts(), cases }
writeFileSync(
  new URL('../test/fixtures/vectors/transitions.json', import.meta.url),
  `${JSON.stringify(file, null, 2)}\n`
)
