// Makes test/fixtures/network-v1: the store and keys of the root of a small network, and frames that its nodes sent each other. Every later version
// must open it, so it is made once per version of the formats. Run after `npm run build`: node scripts/network-fixture.mjs

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const built = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href)
const [{ TestNetwork, eventually }, { FrameStream }] = await Promise.all([
  built('test/helpers/network'),
  built('src/protocols/engine/frames')
])
const target = new URL('../test/fixtures/network-v1/', import.meta.url).pathname

/** Messages by protocol: of who opened the stream, and of who answers. */
const messages = {
  hello: ['Hello', 'Hello'],
  register: ['SessionFrame', 'SessionFrame'],
  lookup: ['LookupRequest', 'LookupAnswer'],
  sync: ['SyncRequest', 'SyncFrame'],
  probe: ['ProbeRequest', 'ProbeAnswer']
}
const mostBytes = 6_000
const mostOfKind = 12
const frames = []

/** Keeps what is written, and writes it. */
const write = FrameStream.prototype.write
FrameStream.prototype.write = function (frame) {
  const protocol = this.stream.protocol.split('/')[2]
  const message = messages[protocol]?.[this.stream.direction === 'outbound' ? 0 : 1]
  const isNew = frames.filter((each) => each.protocol === protocol && each.message === message).length < mostOfKind
  if (message !== undefined && isNew && frame.length <= mostBytes) {
    frames.push({ protocol, message, bytes: Buffer.from(frame).toString('hex') })
  }
  return write.call(this, frame)
}

const network = await TestNetwork.create({ 'admission.policy': 'invite', 'admission.membership': '3650d' })
const root = network.node('root')
const joined = async (name, flags, invite) => {
  const node = network.make(name, { 'bootstrap.peers': [network.address('root')], ...flags })
  node.invites.use(await network.invite(invite))
  await node.start()
  await node.joined({ signal: AbortSignal.timeout(60_000) })
  return node
}
await joined('tnr-2', { role: 'secondary' }, { role: 'secondary' })
const web = await joined('web-1', { services: ['http:8080', 'ssh:22'] }, { role: 'integrated', groups: ['web'] })
const db = await joined('db-1', { role: 'external', services: ['postgres:5432'] }, { role: 'external', groups: ['db'] })
await joined('lost', {}, { role: 'integrated' })
const { control } = root
await control.invite({ role: 'integrated', uses: 5, note: 'the lab', groups: ['lab'], ttlMs: 3_600_000 })
const { entry } = await control.policy()
await control.setPolicy({
  rules: [{ from: 'web', to: 'db', service: 'postgres' }],
  tests: [{ from: 'web', to: 'db', service: 'ssh', allowed: false }],
  publishing: 'registries',
  seen: entry
})
await control.changeMember({ peer: 'db-1', name: 'db-2', groups: ['db', 'eu'] })
await control.revoke({ peer: 'lost', reason: 'stolen' })
await eventually(() => web.registry.replica.head.n === root.registry.replica.head.n)
await web.control.lookup({ remote: true })
await eventually(async () => (await control.lookup({ service: 'http' })).rows.length === 1)
const { n, hash } = root.registry.replica.head
const facts = {
  networkId: network.networkId,
  n,
  headHash: Buffer.from(hash).toString('hex'),
  stateRoot: Buffer.from(root.registry.replica.state.root()).toString('hex'),
  members: [...root.registry.replica.state.members()].map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1)),
  peerIds: { root: root.peerId, web: web.peerId, db: db.peerId }
}
const store = root.registry.path ?? join(network.folder, 'data', 'root', 'registry.db')
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
