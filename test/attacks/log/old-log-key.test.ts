import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect } from 'vitest'
import { loadKey } from '../../../src/identity/key-file.ts'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { becomeRoot } from '../../../src/node/offline/become-root.ts'
import { readRecoveryKit } from '../../../src/node/offline/recovery-kit.ts'
import { restoreHere } from '../../../src/node/offline/stopped-store.ts'
import { FrameStream } from '../../../src/protocols/engine/frames.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { statusText } from '../../../src/protocols/engine/status.ts'
import { Hello as HelloMessage } from '../../../src/protocols/hello/pb/hello.ts'
import { syncId } from '../../../src/protocols/sync/index.ts'
import { SyncRequest } from '../../../src/protocols/sync/pb/sync.ts'
import { sealRevoke } from '../../../src/registry/log/epochs/authority-revocations.ts'
import { sealCheckpoint } from '../../../src/registry/objects/checkpoint.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { NotFoundError } from '../../../src/runtime/errors.ts'
import { exchange } from '../../helpers/hosts/hello-hosts.ts'
import { startHost } from '../../helpers/hosts.ts'
import { eventually } from '../../helpers/network.ts'
import { KitNetwork, kitPassphrase } from '../../helpers/registry/kit-network.ts'
import { attack, control } from '../attack.ts'

/** A revoke by a key of epoch 0, above everything that counts of it. */
const voidRevoke = (node: TrustNode, thief: SigningKey, publicKey: Uint8Array, n: number): Uint8Array => {
  const { networkId } = node.registry
  const place = { networkId, n, prevHash: networkId, epoch: 0, timeMs: Date.now() }
  return sealEntry({ ...place, kind: 'revoke', body: { publicKey, reason: 'void' } }, thief).bytes
}

/** Answer to a member who gives an entry to the registry that holds its lease. One that is busy may not say it in time: it is asked again. */
async function handOver(member: TrustNode, entry: Uint8Array): Promise<string> {
  let answer = ''
  await eventually(async () => {
    answer =
      (await member.network?.session?.session.handOver(entry).then(
        () => 'taken',
        (error: Error) => error.name
      )) ?? 'no session'
    return !['no session', 'DeadlineError', 'UnavailableError'].includes(answer)
  })
  return answer
}

const isMember = (at: TrustNode, who: TrustNode): boolean => at.registry.replica.isMember(who.key.publicKey)

/** Members of a busy machine may need longer to prove their network than one call waits: it is repeated, as its message says. */
const becomeRootInTime = async (init: Parameters<typeof becomeRoot>[0]): Promise<void> =>
  await eventually(() =>
    becomeRoot(init).then(
      () => true,
      (error: unknown) => {
        if (error instanceof NotFoundError) return false
        throw error
      }
    )
  )

/** A network that was recovered on a new machine because the log key was stolen, with the stolen key. */
async function recovered(): Promise<{
  network: KitNetwork
  thief: SigningKey
  root: TrustNode
  hal: TrustNode
  mallory: TrustNode
}> {
  const network = await KitNetwork.create()
  const [hal, mallory] = [await network.join('hal'), await network.join('mallory')]
  await eventually(() => [hal, mallory].every(({ registry }) => registry.replica.state.memberCount === 3))
  const thief = loadKey(network.logKey('root'))
  await network.node('root').stop()
  const flags = { 'bootstrap.peers': [network.address('hal'), network.address('mallory')] }
  await becomeRootInTime(network.recovery('fresh', flags))
  const root = await network.start('fresh', { role: 'root', ...flags })
  await eventually(() => root.registry.root?.refusal === undefined)
  await eventually(() => [hal, mallory].every((node) => node.registry.replica.head.epoch === 1))
  await eventually(() => mallory.network?.session?.peer.name === 'fresh')
  return { network, thief, root, hal, mallory }
}

/** A hello with an admission that this log key has just made for a new machine, as a secondary, at these places of its epoch. */
function admittedBy(logKey: SigningKey, at: TrustNode, newcomer: SigningKey, ns: readonly number[]): Uint8Array[] {
  const { networkId, genesis } = at.registry
  const timeMs = Date.now()
  const common = { networkId, epoch: 0, timeMs }
  const { publicKey } = newcomer
  const wish = { networkId, key: newcomer, name: 'evil', role: 'secondary' as const, timeMs }
  const body = {
    publicKey,
    name: 'evil',
    role: 'secondary' as const,
    notAfterMs: timeMs + 3_600_000,
    via: 'approved' as const,
    join: makeJoin(wish)
  }
  return ns.map((n) => {
    const admit = sealEntry({ ...common, n, prevHash: networkId, kind: 'admit', body }, logKey)
    const head = { ...common, n, headHash: admit.hash, stateRoot: networkId, rows: 1, bytes: 1 }
    const shown = { genesis: genesis.bytes, checkpoint: sealCheckpoint(head, logKey).bytes, admit: admit.bytes }
    return HelloMessage.encode({ version: 1, networkId, role: 2, ...shown })
  })
}

/** Errors that a busy machine makes of a handshake or an answer that has a deadline. */
const tooSlow = ['EncryptionFailedError', 'TimeoutError', 'StreamResetError']

/** Gives the answer of a node to a hello on a connection of its own. */
async function greeted(host: Libp2p, node: TrustNode, hello: Uint8Array) {
  const address = multiaddr(`/ip6/::1/tcp/${node.attached.port}/p2p/${node.peerId}`)
  for (;;) {
    try {
      const connection = await host.dial(address, { force: true })
      return { connection, status: statusText((await exchange(connection, hello)).status) }
    } catch (error) {
      if (!(error instanceof Error && tooSlow.includes(error.name))) throw error
    }
  }
}

/** What a node answers to each hello on a connection of its own, and how many bytes its sync sends on the last one. */
async function told(node: TrustNode, key: SigningKey, hellos: readonly Uint8Array[]) {
  const host = await startHost({}, { privateKey: key.toLibp2p(), identifies: false })
  const statuses: string[] = []
  let bytes = 0
  for (const hello of hellos) {
    const { connection, status } = await greeted(host, node, hello)
    statuses.push(status)
    bytes = await syncBytes(connection, node.registry.networkId)
  }
  await host.stop()
  return { statuses, bytes }
}

async function syncBytes(connection: Connection, networkId: Uint8Array): Promise<number> {
  const stream = await connection.newStream(syncId)
  const frames = new FrameStream(stream, { maxFrame: 1 << 20, limits: limitsWith().stream })
  let bytes = 0
  try {
    await frames.write(SyncRequest.encode({ networkId }))
    for await (const frame of frames) bytes += frame.byteLength
  } catch {
    // It was reset: what came before is what was told.
  }
  return bytes
}

// Each has a network of its own, and waits most of the time.
describe.concurrent('a hello that shows an admission by a log key of the past', () => {
  attack(
    'a machine that it admits as a secondary, below and above the fork, says hello to root and member',
    async () => {
      const { network, thief, root, hal } = await recovered()
      await using _ = network
      const evil = SigningKey.generate()
      const hellos = admittedBy(thief, root, evil, [2, root.registry.replica.head.n + 100])
      const answers = [await told(root, evil, hellos), await told(hal, evil, hellos)]
      for (const { statuses, bytes } of answers) {
        expect(statuses).not.toContain('OK')
        expect(bytes).toBeLessThan(64)
      }
      for (const { registry } of [root, hal]) {
        expect(registry.replica.state.memberByName('evil')).toBeUndefined()
        expect(registry.replica.isForked).toBe(false)
        expect(registry.alarms.list().map(({ code }) => code)).not.toContain('log_fork')
      }
      return {
        happened: `4 hellos: ${answers.flatMap(({ statuses }) => statuses).join(', ')}; no entry of the log was sent, no alarm raised`,
        held: 'an entry that is shown counts below the fork of its epoch alone, and not beside the one that is held there'
      }
    }
  )

  control('it is let in before the log key was replaced', async () => {
    await using network = await KitNetwork.create()
    const hal = await network.join('hal')
    const evil = SigningKey.generate()
    const hellos = admittedBy(loadKey(network.logKey('root')), hal, evil, [hal.registry.replica.head.n + 1])
    const { statuses, bytes } = await told(hal, evil, hellos)
    expect(statuses).toEqual(['OK'])
    expect(bytes).toBeGreaterThan(500)
  })
})

describe.concurrent('a log key of the past, or of today', () => {
  attack('void revokes by a stolen log key are handed to the root that replaced it', async () => {
    const { network, thief, root, hal, mallory } = await recovered()
    await using _ = network
    const { n } = root.registry.replica.head
    const answers = [
      await handOver(mallory, voidRevoke(root, thief, hal.key.publicKey, n + 5)),
      await handOver(mallory, voidRevoke(root, thief, root.key.publicKey, n + 6)),
      await handOver(mallory, voidRevoke(root, thief, mallory.key.publicKey, 3))
    ]
    // Whatever came of them is in the log before this.
    await root.control.revoke({ peer: 'root', reason: 'it was stolen' })
    await eventually(() => [hal, mallory].every(({ registry }) => registry.replica.state.memberCount === 3))
    for (const node of [root, hal, mallory]) {
      for (const who of [root, hal, mallory]) expect(isMember(node, who)).toBe(true)
    }
    const { offered } = await root.control.voidRevokes()
    expect(offered.map(({ member, from }) => [member.name, from?.name])).toEqual([['hal', 'mallory']])
    return {
      happened: `3 void revokes handed over: ${answers.join(', ')}; 0 entered, 1 shown to the operator`,
      held: 'a revoke by the key of an older epoch is entered by the operator alone, and never for the root'
    }
  })

  attack(
    'void revokes are handed to a root that was restored from a backup of before they were dismissed',
    async () => {
      const { network, thief, root, hal, mallory } = await recovered()
      await using _ = network
      const backup = join(network.folder, 'before.db')
      await root.control.backup({ to: backup })
      const revoke = voidRevoke(root, thief, hal.key.publicKey, root.registry.replica.head.n + 5)
      const answers = [await handOver(mallory, revoke)]
      await root.control.dismissVoid({ peer: 'hal' })
      await eventually(() =>
        [hal, mallory].every(({ registry }) => registry.replica.head.n === root.registry.replica.head.n)
      )
      await root.stop()
      await restoreHere(root.config, backup, true)
      const again = await network.start('fresh', {
        role: 'root',
        'bootstrap.peers': ['hal', 'mallory'].map((name) => network.address(name))
      })
      await eventually(() => mallory.network?.session?.peer.name === 'fresh')
      answers.push(await handOver(mallory, revoke))
      // They bring the entries that the backup lacks; that the first root is gone for good is the operator's word.
      await eventually(() => again.registry.replica.head.n === hal.registry.replica.head.n)
      await again.control.resume({ head: again.registry.replica.head.n })
      answers.push(await handOver(mallory, revoke))
      // Whatever came of them is in the log before this.
      await again.control.revoke({ peer: 'root', reason: 'it was stolen' })
      await eventually(() =>
        [hal, mallory].every(({ registry }) => registry.replica.head.n === again.registry.replica.head.n)
      )
      for (const node of [again, hal, mallory])
        expect([isMember(node, hal), isMember(node, mallory)]).toEqual([true, true])
      const { offered } = await again.control.voidRevokes()
      expect(offered.map(({ member }) => member.name)).toEqual(['hal'])
      return {
        happened: `handed over before and behind the restore: ${answers.join(', ')}; 0 entered, 1 shown to the operator once more`,
        held: 'a root that was restored waits for the heads of others, and a void revoke for the operator'
      }
    }
  )

  control('a revoke by the authority, handed over in the same way, is entered at once', async () => {
    const { network, root, hal, mallory } = await recovered()
    await using _ = network
    const { authority } = readRecoveryKit(network.kit, kitPassphrase)
    if (authority === undefined) throw new Error('the kit holds the authority')
    const { networkId, head } = root.registry.replica
    const body = { publicKey: hal.key.publicKey, reason: 'stolen' }
    const { bytes } = sealRevoke({ networkId, head, nowMs: Date.now() }, authority, body)
    expect(await handOver(mallory, bytes)).toBe('taken')
    await eventually(() => !isMember(root, hal) && !isMember(mallory, hal))
  })

  attack('the log key that a demoted machine has left', async () => {
    await using network = await KitNetwork.create()
    await network.join('keeper', { role: 'secondary' })
    const [hal, mallory] = [await network.join('hal'), await network.join('mallory')]
    await eventually(() => network.node('keeper').registry.replica.state.memberCount === 4)
    const copy = join(network.folder, 'stolen.key')
    copyFileSync(network.logKey('root'), copy)
    const { port } = network.node('keeper').attached
    await network.node('keeper').stop()
    await becomeRoot(network.promotion('keeper'))
    const root = await network.start('keeper', { role: 'root', 'listen.port': port })
    await eventually(() => root.registry.root?.refusal === undefined)
    const former = network.node('root')
    await eventually(() => former.registry.replica.head.epoch === 1)
    await eventually(() => !network.hasLogKey('root'))
    await eventually(() => mallory.registry.replica.head.epoch === 1)
    await Promise.all([mallory.stop(), former.stop()])
    const back = await network.start('mallory', { 'bootstrap.peers': [network.address('keeper')] })
    await eventually(() => back.network?.session?.peer.name === 'keeper')
    const { n } = root.registry.replica.head
    const thief = loadKey(copy)
    const answers = [
      await handOver(back, voidRevoke(root, thief, hal.key.publicKey, n + 5)),
      await handOver(back, voidRevoke(root, thief, root.key.publicKey, n + 6))
    ]
    await root.control.invite({ role: 'integrated' })
    for (const who of [root, hal, back, former]) expect(isMember(root, who)).toBe(true)
    return {
      happened: `log.key of the former root is gone; 2 void revokes with a copy of it: ${answers.join(', ')}; 0 entered`,
      held: 'a machine that learns of its end deletes its log key; a key of an older epoch enters nothing'
    }
  })

  attack('whoever has the log key of today revokes the root, or a revoke of it is handed over', async () => {
    const { network, root, hal } = await recovered()
    await using _ = network
    const { networkId, head } = root.registry.replica
    const place = { networkId, n: head.n + 1, prevHash: head.hash, epoch: head.epoch, timeMs: Date.now() }
    const body = { publicKey: root.key.publicKey, name: 'fresh', reason: 'no' }
    const entry = sealEntry({ ...place, kind: 'revoke', body }, loadKey(network.logKey('fresh'))).bytes
    const answer = await handOver(hal, entry)
    await expect(hal.registry.replica.apply([entry])).rejects.toThrow('the root cannot be revoked')
    await expect(root.control.revoke({ peer: 'fresh', reason: 'no' })).rejects.toThrow('root')
    for (const node of [root, hal]) expect(isMember(node, root)).toBe(true)
    return {
      happened: `handed over: ${answer}; as the next entry of the log, and by its own operator: refused; the root stays`,
      held: 'no entry revokes the root while the epoch lasts that entered it'
    }
  })
})
