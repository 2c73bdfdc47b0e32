import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { statusText } from '../../../src/cli/output/status-text.ts'
import { loadKey } from '../../../src/identity/key-file.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import { SyncFrame, SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import { ownOrders } from '../../../src/registry/log/own-orders.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { ScriptedRegistry } from '../../conformance/scripted-registry.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'

/** What a root of a newer version signs: a policy whose readers must know entries of kind 99, and a member behind it. */
function newerLog({ network, root }: ScriptedRegistry, stranger: SigningKey) {
  const { replica } = root.registry
  const { networkId, head } = replica
  const files = dataFiles(network.config('root').config.paths.data)
  const logKey = loadKey(files.logKey)
  const timeMs = Date.now()
  const place = { networkId, epoch: head.epoch, timeMs }
  const content = { kind: 'policy', body: { ...replica.state.policy, criticalKinds: [99] } } as const
  const orders = ownOrders(content, replica.state, timeMs, loadKey(files.operatorKey))
  const policy = sealEntry({ ...place, n: head.n + 1, prevHash: head.hash, ...content, orders }, logKey)
  const admit = sealEntry(
    {
      ...place,
      n: head.n + 2,
      prevHash: policy.hash,
      kind: 'admit',
      body: { publicKey: stranger.publicKey, name: 'stranger', role: 'external', notAfterMs: timeMs, via: 'founder' }
    },
    logKey
  )
  const stateRoot = new Uint8Array(32)
  const checkpoint = sealCheckpoint(
    { ...place, n: head.n + 2, headHash: admit.hash, stateRoot, rows: 9, bytes: 999 },
    logKey
  )
  return { entries: [policy.bytes, admit.bytes], checkpoint: checkpoint.bytes }
}

test('a member that lacks a critical kind says so with what to do, and judges nothing that comes behind', async () => {
  await using registry = await ScriptedRegistry.open(ceilingMs)
  const { network, root } = registry
  const member = network.make('member', { role: 'external', 'bootstrap.peers': [network.address('root')] })
  member.invites.use(await network.invite({ role: 'external' }))
  await member.start()
  await member.joined({ signal: AbortSignal.timeout(ceilingMs) })
  await eventually(() => member.registry.replica.head.n === root.registry.replica.head.n)
  const before = member.registry.replica.head.n
  const stranger = SigningKey.generate()
  const newer = newerLog(registry, stranger)
  registry.script('sync', () => async (frames) => {
    const { n } = SyncRequest.decode((await frames.read()) ?? new Uint8Array())
    const known = root.registry.replica.read(n, 2 ** 20).map(({ envelope }) => envelope)
    const nothing = { checkpoint: new Uint8Array(), records: [], hints: [], delegations: [], revokes: [] }
    const start = { status: statuses.OK, mode: 0, replicaAgeMs: 0, retryAfterMs: 0 }
    await frames.write(SyncFrame.encode({ ...nothing, entries: [], start, caughtUp: false }))
    const { entries, checkpoint } = newer
    await frames.write(SyncFrame.encode({ ...nothing, entries: [...known, ...entries], checkpoint, caughtUp: true }))
    await frames.closed
  })
  for (const connection of root.libp2p.getConnections()) connection.abort(new Error('a newer root'))
  const view = () => member.control.status()
  await eventually(async () => (await view()).warnings.some(({ code }) => code === 'newer_rules'))
  const screen = statusText(await view(), (_style, text) => text, Date.now())
  expect(screen).toContain('degraded: alarm newer_rules: see the warnings')
  expect(screen).toMatch(
    /^ALARM newer_rules: the log is followed no further.* entries of kind 99: update this program\n {2}fix: trustnet upgrade on this machine; when that is done, trustnet status --acknowledge newer_rules$/m
  )
  expect(screen).not.toContain('lying_source')
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  expect(page).toMatch(
    /^\| alarm `newer_rules` \|.* nothing behind that entry is followed here \| `trustnet upgrade` on this machine \|$/m
  )
  const { replica } = member.registry
  expect([replica.head.n, replica.isMember(stranger.publicKey)]).toEqual([before, false])
})
