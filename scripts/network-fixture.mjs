// Makes test/fixtures/network-v1-grown: the store and keys of the root of a small network, and frames that its nodes sent each other. Every later version
// must open it, so it is made once per version of the formats. Run after `npm run build`: node scripts/network-fixture.mjs

import { once } from 'node:events'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

const built = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href)
const [{ eventually }, { KitNetwork, kitPassphrase }, orders] = await Promise.all(
  ['network', 'registry/kit-network', '../attacks/admission/orders'].map((name) => built(`test/helpers/${name}`))
)
const [{ FrameStream }, rotation, keys, paths, entry, dht, order, admin, { carryOut }, { sha256 }] = await Promise.all(
  [
    'protocols/engine/frames',
    'node/offline/rotate-running',
    'identity/keys',
    'node/config/paths',
    'registry/objects/entry',
    'protocols/kad/record-key',
    'registry/objects/orders/order',
    'protocols/admin/index',
    'node/root/carry-out',
    'identity/hash'
  ].map((name) => built(`src/${name}`))
)
const target = new URL('../test/fixtures/network-v1-grown/', import.meta.url).pathname

/** Messages by protocol: of who opened the stream, and of who answers. */
const messages = {
  hello: ['Hello', 'Hello'],
  register: ['SessionFrame', 'SessionFrame'],
  lookup: ['LookupRequest', 'LookupAnswer'],
  sync: ['SyncRequest', 'SyncFrame'],
  probe: ['ProbeRequest', 'ProbeAnswer'],
  admin: ['AdminRequest', 'AdminAnswer'],
  blocks: ['BlocksRequest', 'BlockAnswer'],
  forward: ['ForwardRequest', 'ForwardAnswer']
}
const modules = await Promise.all(Object.keys(messages).map((name) => built(`src/protocols/${name}/pb/${name}`)))
const codecs = Object.assign({}, ...modules)
const mostBytes = 6_000
/** Frames of one message that have the same fields. */
const mostOfShape = 4
/** The record of a later put says more than that of the first. */
const mostPuts = 64
const mostOfGossip = 6
const frames = []
const shapes = new Map()

const isSet = (value) => Boolean(value) && value.length !== 0

/** Tells whether a frame with these fields is still wanted. */
const isWanted = (message, frame) => {
  const value = codecs[message].decode(frame)
  const fields = Object.keys(value).filter((field) => isSet(value[field]))
  const shape = [message, ...fields].join(' ')
  const seen = shapes.get(shape) ?? 0
  shapes.set(shape, seen + 1)
  return seen < (fields.includes('put') ? mostPuts : mostOfShape)
}

/** Streams on which the request for a document was written: the bytes of the document follow. */
const withDocument = new WeakSet()

/** Keeps what is written, and writes it. */
const write = FrameStream.prototype.write
FrameStream.prototype.write = function (given) {
  const frame = given.subarray()
  const protocol = this.stream.protocol.split('/')[2]
  const isContent = withDocument.has(this)
  const message = messages[protocol]?.[this.stream.direction === 'outbound' ? 0 : 1]
  if (message === 'AdminRequest' && !isContent && codecs[message].decode(frame).document) withDocument.add(this)
  const wanted = () => isContent || isWanted(message, frame)
  if (message !== undefined && frame.length <= mostBytes && wanted()) {
    frames.push({ protocol, message: isContent ? 'content' : message, bytes: Buffer.from(frame).toString('hex') })
  }
  return write.call(this, given)
}

/** Keeps the announcements that a node takes from gossip. */
const keepGossip = (node) => {
  let kept = 0
  node.libp2p.services.pubsub.addEventListener('message', ({ detail }) => {
    if (!detail.topic.endsWith('/announce/1') || kept++ >= mostOfGossip) return
    frames.push({ protocol: 'announce', message: 'announcement', bytes: Buffer.from(detail.data).toString('hex') })
  })
}

const kinds = entry.entryKinds
const tableOf = (node) => node.registry.replica.ledger.table

const network = await KitNetwork.create({ 'admission.policy': 'invite', 'admission.membership': '3650d' })
const root = network.node('root')
const joined = async (name, flags, invite) => {
  const node = network.make(name, { 'bootstrap.peers': [network.address('root')], ...flags })
  node.invites.use(await network.invite(invite))
  await node.start()
  await node.joined({ signal: AbortSignal.timeout(60_000) })
  return node
}
const hourMs = 3_600_000
const ephemeralMs = 3_650 * 24 * hourMs
await joined('tnr-2', { role: 'secondary' }, { role: 'secondary' })
const web = await joined('web-1', { services: ['http:8080', 'ssh:22'] }, { role: 'integrated', groups: ['web'] })
const db = await joined(
  'db-1',
  { role: 'external', services: ['postgres:5432'], 'stores.fetch': ['web-1/notes'] },
  { role: 'external', groups: ['db'] }
)
await joined('lost', {}, { role: 'integrated' })
await joined('let-go', {}, { role: 'integrated' })
await joined('ci-1', {}, { role: 'integrated', groups: ['ci'], ephemeralMs })
for (const node of [root, web]) keepGossip(node)
const { control } = root
const same = () => eventually(() => web.registry.replica.head.n === root.registry.replica.head.n)
await control.invite({ role: 'integrated', uses: 5, note: 'the lab', groups: ['lab'], ttlMs: hourMs })
await control.setPolicy({
  rules: [{ from: 'web', to: 'db', service: 'postgres' }],
  tests: [{ from: 'web', to: 'db', service: 'ssh', allowed: false }],
  publishing: 'registries',
  seen: (await control.policy()).entry
})
await control.changeMember({ peer: 'db-1', name: 'db-2', groups: ['db', 'eu'] })
await control.endMember({ peer: 'let-go', reason: 'not needed' })

// One invite that is taken back, and one that is used by a member whose membership is renewed as soon as the policy gives longer ones.
const withdrawn = await control.invite({ role: 'external', ttlMs: hourMs })
await control.cancelInvite({ id: withdrawn.id, reason: 'sent to the wrong one' })
const { membershipMs } = root.registry.replica.state.policy
const policy = async (changes) => await control.setPolicy({ ...changes, seen: (await control.policy()).entry })
await policy({ membershipMs: 30 * 24 * hourMs })
await joined('cam', { role: 'external', 'heartbeat.interval': '5s' }, { role: 'external' })
await policy({ membershipMs })
await eventually(() => tableOf(root).ofKinds(kinds.renew, kinds.renew).length > 0)

// Documents of the root and of a member that may publish; one is there in two versions, one is retired, and one publisher may publish no more.
const text = { mediaType: 'text/plain' }
const content = (words) => Buffer.from(words).toString('base64')
for (const publisher of ['web-1', 'db-2']) await control.allowPublisher({ publisher })
await same()
await control.publishDocument({ ...text, id: 'plan', content: content('the first plan') })
await control.publishDocument({ ...text, id: 'plan', content: content('the second plan') })
await control.publishDocument({ ...text, id: 'old', content: content('not for long') })
await control.retireDocument({ id: 'old', reason: 'not needed' })
await web.control.publishDocument({ ...text, id: 'motd', content: content('written by web-1') })
await control.removePublisher({ publisher: 'db-2' })
await eventually(() =>
  [root, web, db].every(({ documents }) => documents.list().filter(({ held }) => held).length >= 2)
)

// A store that one member shares and another one follows.
const notes = join(network.folder, 'notes')
mkdirSync(notes)
writeFileSync(join(notes, 'today'), 'a note in a store')
await web.stores.add(notes)
await eventually(() => db.stores.list().some(({ heldSeq }) => heldSeq === 1))

// A service that one member exposes and another one calls, and one that is exposed nowhere.
const service = createServer((socket) => socket.on('error', () => {}).end('hello'))
service.listen(0, '::1')
await once(service, 'listening')
db.forwards.expose('postgres', `[::1]:${service.address().port}`)
const called = await web.forwards.call({ peer: 'db-2', service: 'postgres' })
called.on('error', () => {}).end()
await once(called.resume(), 'end')
await web.forwards.call({ peer: 'tnr-2', service: 'postgres' }).catch(() => {})
service.close()

// Two operators revoke: the first order waits at the root, the second one makes the entry.
const ann = keys.SigningKey.generate()
await control.addOperator({ name: 'ann', keyId: keys.peerIdText(ann.publicKey) })
await policy({ twoOperators: [3] })
for (const key of [orders.operatorKey(network), ann]) {
  await same()
  const said = await orders.answer(web, orders.signed(web, key, orders.revoke(web, 'lost')))
  process.stdout.write(`an order to revoke: ${said}\n`)
}

/** What an operator asks the root through a member. */
const questionOf = async (question, key) => {
  const bytes = admin.encodeQuestion(question)
  const { networkId, replica } = web.registry
  const { epoch, n: seenN } = replica.head
  const told = { networkId, kind: 0, digest: sha256(bytes), epoch, seenN, timeMs: Date.now() }
  const call = { question: bytes, order: order.sealOrder(told, key).bytes }
  return await carryOut(web.attached, call, web.key.publicKey, { signal: AbortSignal.timeout(60_000) })
}
await questionOf({ what: 'waiting' }, ann)

await web.control.rotateIdentity()
await web.joined({ signal: AbortSignal.timeout(60_000) })
await rotation.rotateLogKey(control, { kit: network.kit, passphrase: kitPassphrase }, new AbortController().signal)
await eventually(() => root.registry.root?.refusal === undefined)
const { nextRecoveryKit } = paths.dataFiles(root.config.paths.data)
const nextKit = { kit: nextRecoveryKit, passphrase: kitPassphrase, to: join(network.folder, 'after-next.kit') }
await rotation.rotateRunningAuthority(control, nextKit, new AbortController().signal)
await control.changeMember({ peer: 'web-1', groups: ['web', 'eu'] })
await same()

// A put: the record with one service more, and out of work for a while.
web.announced.setMaintenance('moves to another rack')
const { config } = network.config('with-metrics', { services: ['http:8080', 'metrics:9100', 'ssh:22'] })
web.config.services.splice(0, Infinity, ...config.services)
await web.attached.publishSelf()
await eventually(async () => (await control.lookup({ service: 'metrics' })).rows.length === 1)
await web.control.lookup({ remote: true })
const { matrixProber } = root.attached
for (const { publicKey } of root.registry.replica.state.members()) matrixProber.look(publicKey)
await matrixProber.round(AbortSignal.timeout(60_000))
await web.control.matrix()
await eventually(() => frames.some(({ protocol }) => protocol === 'announce'))
await eventually(async () => {
  const found = await db.libp2p.services.kad.findRecord(web.key.publicKey).catch(() => undefined)
  if (found === undefined) return false
  const key = Buffer.from(dht.recordKey(web.key.publicKey)).toString('hex')
  frames.push({ protocol: 'kad', message: 'value', key, bytes: Buffer.from(found.bytes).toString('hex') })
  return true
})
const isThere = ([, number]) => tableOf(root).ofKinds(number, number).length > 0
const missing = Object.entries(kinds).filter((kind) => !isThere(kind))
if (missing.length > 0) throw new Error(`the log has no entry of the kinds ${missing.join(', ')}`)
const { n, hash } = root.registry.replica.head
const facts = {
  networkId: network.networkId,
  n,
  epoch: root.registry.replica.head.epoch,
  headHash: Buffer.from(hash).toString('hex'),
  stateRoot: Buffer.from(root.registry.replica.state.root()).toString('hex'),
  members: [...root.registry.replica.state.members()].map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1)),
  peerIds: { root: root.peerId, web: web.peerId, db: db.peerId }
}
const { store } = paths.dataFiles(root.config.paths.data)
await Promise.all(network.nodes.map((node) => node.stop('the network is recorded')))

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
for (const name of ['registry.db', 'node.key', 'log.key', 'operator.key']) {
  copyFileSync(join(dirname(store), name), join(target, name))
}
writeFileSync(join(target, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`)
writeFileSync(join(target, 'frames.json'), `${JSON.stringify(frames, null, 2)}\n`)
await network[Symbol.asyncDispose]()
process.stdout.write(`${target}: ${n} entries, ${frames.length} frames\n`)
