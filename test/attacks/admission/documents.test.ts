import type { Connection } from '@libp2p/interface'
import { describe, expect } from 'vitest'
import { sha256 } from '../../../src/identity/hash.ts'
import { loadKey } from '../../../src/identity/key-file.ts'
import type { SigningKey } from '../../../src/identity/keys.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { TrustNode } from '../../../src/node/node.ts'
import { carryOut } from '../../../src/node/root/carry-out.ts'
import { adminProtocol } from '../../../src/protocols/admin/descriptor.ts'
import { adminServer, ask } from '../../../src/protocols/admin/index.ts'
import { decodeCall } from '../../../src/protocols/admin/messages.ts'
import { AdminAnswer } from '../../../src/protocols/admin/pb/admin.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { serve } from '../../../src/protocols/engine/protocol.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'
import { readPublish, type SignedPublish, sealPublish } from '../../../src/registry/documents/signed-publish.ts'
import { sealEntry } from '../../../src/registry/objects/entry.ts'
import type { Registry } from '../../../src/registry/registry.ts'
import { type MemberHost, type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect } from '../../helpers/hosts.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'
import { RealNetwork } from '../../helpers/real-network.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

type Services = { admin: unknown }

const quota = 2 ** 20

/** A network whose clock stands still, and hosts that serve what its registries do with documents. */
async function scene(overrides: LimitOverrides = {}) {
  const network = await RealNetwork.create({ documentBytes: quota })
  disposeAfterTest(network)
  const { clock } = network
  const { networkId } = network.root
  const limits = limitsWith(overrides)
  const members: Members = new Map()
  let judged = 0
  const start = async (registry: Registry, key: SigningKey): Promise<MemberHost<Services>> => {
    const member = await startMember<Services>({
      members,
      key,
      services: ({ trust }) => ({
        admin: adminServer({
          networkId,
          trust,
          limits,
          clock,
          carryOut: async (call, from, options) => {
            if (registry === network.root) judged++
            return await carryOut({ registry, limits, trust, peers: undefined }, call, from, options)
          }
        })
      })
    })
    disposeAfterTest(member)
    return member
  }
  const root = await start(network.root, network.rootKey)
  const join = async (name: string, isPublisher: boolean): Promise<{ key: SigningKey; connection: Connection }> => {
    const key = await network.admit(name)
    if (isPublisher) await allow(network.root, key)
    const member = await startMember({ members, key, services: () => ({}) })
    disposeAfterTest(member)
    return { key, connection: await connect(member.host, root.host) }
  }
  const send = async (connection: Connection, document: SignedPublish): Promise<string> => {
    try {
      await ask(connection, { document }, { networkId, limits })
      return 'entered'
    } catch (error) {
      return error instanceof Error ? error.name : String(error)
    }
  }
  return { network, root, members, start, join, send, judged: () => judged }
}

const allow = async ({ root }: Registry, { publicKey }: SigningKey): Promise<void> => {
  await root?.append([{ kind: 'publisher', body: { publicKey, removed: false } }])
}

function signed({ root, clock }: RealNetwork, key: SigningKey, id: string, version: number, bytes: Uint8Array) {
  const { networkId, replica } = root
  const publish = { id, documentVersion: version, mediaType: 'text/plain', publisherKey: key.publicKey }
  const place = { networkId, epoch: 0, seenN: replica.head.n, timeMs: clock.now() }
  return sealPublish({ ...publish, digest: sha256(bytes), sizeBytes: bytes.length }, bytes, place, key)
}

const counted = (answers: readonly string[]): string =>
  [...new Set(answers)].map((name) => `${answers.filter((each) => each === name).length} ${name}`).join(', ')

describe('a publisher beside others', () => {
  const bytes = new Uint8Array(100 * 1024)
  /** Publishes documents of 100 KiB, each with content of its own, until one is refused. Gives how many there were. */
  const fill = async (publish: (id: string, content: Uint8Array) => Promise<boolean>): Promise<number> => {
    for (let count = 0; count < 100; count++) {
      const content = bytes.with(0, count)
      if (!(await publish(`d-${count}`, content))) return count
    }
    return 100
  }

  attack('publishes documents until nobody else has room', async () => {
    const { network, join, send } = await scene()
    const [eve, hal] = [await join('eve', true), await join('hal', true)]
    const taken = await fill(async (id, content) => {
      const answer = await send(eve.connection, signed(network, eve.key, id, 1, content))
      return answer === 'entered'
    })
    expect(taken).toBe(Math.floor(quota / 2 / bytes.length))
    for (const id of ['a', 'b'])
      expect(await send(hal.connection, signed(network, hal.key, id, 1, bytes.with(1, id.charCodeAt(0))))).toBe(
        'entered'
      )
    await network.root.documents.publish({ id: 'plan', mediaType: 'text/plain', bytes: bytes.with(2, 1) })
    // The next version of what is there takes no more room.
    expect(await send(eve.connection, signed(network, eve.key, 'd-0', 2, bytes.with(3, 1)))).toBe('entered')
    return {
      happened: `${taken} documents of 100 KiB in a network of 1 MiB; another publisher and the root published, too`,
      held: 'a publisher takes half of what the others leave'
    }
  })

  control('has no room where the root has taken all', async () => {
    const { network, join, send } = await scene()
    const hal = await join('hal', true)
    const taken = await fill(async (id, content) => {
      const published = network.root.documents.publish({ id, mediaType: 'text/plain', bytes: content })
      return await published.then(
        () => true,
        () => false
      )
    })
    expect(taken).toBe(Math.floor(quota / bytes.length))
    expect(await send(hal.connection, signed(network, hal.key, 'a', 1, bytes))).not.toBe('entered')
  })
})

describe('a member that may not publish', () => {
  const requests = 60
  const largest = new Uint8Array(256 * 1024)

  attack('sends the root documents of 256 KiB without end', async () => {
    const { network, join, send, judged } = await scene()
    const eve = await join('eve', false)
    const ann = await join('ann', true)
    const { replica, documents } = network.root
    const { n } = replica.head
    const answers: string[] = []
    for (let at = 0; at < requests; at++) {
      answers.push(await send(eve.connection, signed(network, eve.key, `d${at}`, 1, largest)))
    }
    expect([replica.head.n, documents.bytes.count]).toEqual([n, 0])
    expect(answers).not.toContain('entered')
    expect(judged()).toBe(20)
    expect(await send(ann.connection, signed(network, ann.key, 'plan', 1, largest))).toBe('entered')
    return {
      happened: `${requests} documents: ${counted(answers)}; 20 were judged, 0 entries, 0 bytes kept; a publisher beside it is served`,
      held: 'admin.rate of a peer; who may publish is asked before anything is kept'
    }
  })

  control('is heard as often as it asks where nobody counts', async () => {
    const { network, join, send, judged } = await scene({ admin: { rate: { count: 1_000, perMs: 1 } } })
    const eve = await join('eve', false)
    for (let at = 0; at < requests; at++) await send(eve.connection, signed(network, eve.key, `d${at}`, 1, largest))
    expect(judged()).toBe(requests)
  })

  attack('sends its documents through another member, which the root counts by itself', async () => {
    const { network, start, members, root, send, judged } = await scene()
    const [key, eve] = [await network.admit('hal'), await network.admit('eve')]
    const hal = await start(await network.openReplica('hal', key, { role: 'integrated' }), key)
    const asker = await startMember({ members, key: eve, services: () => ({}) })
    disposeAfterTest(asker)
    await connect(hal.host, root.host)
    const connection = await connect(asker.host, hal.host)
    const answers: string[] = []
    for (let at = 0; at < 10; at++) answers.push(await send(connection, signed(network, eve, 'plan', 1, largest)))
    expect(answers.every((name) => name === 'NotRootError')).toBe(true)
    expect(judged()).toBe(0)
    return {
      happened: `10 documents: ${counted(answers)}; 0 came to the root`,
      held: 'only a secondary brings documents of others to the root'
    }
  })

  control('a secondary sends them on', async () => {
    const { network, start, members, root, send, judged } = await scene()
    const [key, ann] = [await network.admit('s'), await network.admit('ann')]
    await network.enter(key)
    await allow(network.root, ann)
    const secondary = await start(await network.openReplica('s', key), key)
    const asker = await startMember({ members, key: ann, services: () => ({}) })
    disposeAfterTest(asker)
    await connect(secondary.host, root.host)
    const connection = await connect(asker.host, secondary.host)
    expect(await send(connection, signed(network, ann, 'plan', 1, largest))).toBe('entered')
    expect(judged()).toBe(1)
  })
})

describe('a publisher', () => {
  const versions = 120
  const unlimited: LimitOverrides = { admin: { rate: { count: 1_000, perMs: 1 } } }
  const contentOf = (at: number): Uint8Array => new Uint8Array(32 * 1024).fill(at)

  attack('publishes versions without end, so that log and disk of everybody fill', async () => {
    const { network, join, send } = await scene(unlimited)
    const { replica, documents } = network.root
    const ann = await join('ann', true)
    const { n } = replica.head
    const sendNext = async (at: number): Promise<string> => {
      const due = (replica.state.document('plan')?.version ?? 0) + 1
      return await send(ann.connection, signed(network, ann.key, 'plan', due, contentOf(at)))
    }
    const answers: string[] = []
    for (let at = 1; at <= versions; at++) {
      answers.push(await sendNext(at))
      await documents.bytes.prune()
    }
    expect(counted(answers)).toBe('100 entered, 20 RateLimitedError')
    expect(replica.head.n - n).toBe(100)
    // Those of old versions fill the quota once more.
    expect(documents.bytes.bytes).toBeLessThanOrEqual(quota + contentOf(0).length)
    const old = signed(network, ann.key, 'plan', 1, contentOf(1))
    for (let at = 0; at < 50; at++) await send(ann.connection, old)
    expect(documents.bytes.bytes).toBeLessThanOrEqual(quota + contentOf(0).length)
    expect(replica.head.n - n).toBe(100)
    network.clock.advance(3_000)
    const later: string[] = []
    for (let at = 1; at <= 10; at++) later.push(await sendNext(versions + at))
    expect(counted(later)).toBe('3 entered, 7 RateLimitedError')
    return {
      happened: `${versions} versions at once: ${counted(answers)}; 3 s later 3 more; an old one sent 50 times again: 0 entries, 0 bytes more`,
      held: '100 versions at once and then one a second; old versions fill the quota once more'
    }
  })

  control('the root itself, whom nobody counts, enters as many', async () => {
    const { network } = await scene(unlimited)
    const { replica, documents } = network.root
    const { n } = replica.head
    for (let at = 1; at <= versions; at++) {
      await documents.publish({ id: 'plan', mediaType: 'text/plain', bytes: contentOf(at) })
    }
    expect(replica.head.n - n).toBe(versions)
    expect(documents.bytes.bytes).toBeGreaterThan(3 * quota)
  })
})

describe('while the root is away', () => {
  /** A secondary that answers documents with an entry of its own making, signed by `signer`. */
  async function lying(signerOf: (network: TestNetwork, tnr: TrustNode) => SigningKey) {
    const network = await TestNetwork.create()
    disposeAfterTest(network)
    const tnr = await network.join('tnr', { role: 'secondary' })
    const hal = await network.join('hal')
    const root = network.node('root')
    await root.control.allowPublisher({ publisher: 'hal' })
    const { replica } = hal.registry
    await eventually(() => replica.state.registry(tnr.key.publicKey) !== undefined)
    await eventually(() => replica.state.publishers().length === 1 && replica.head.n === root.registry.replica.head.n)
    const signer = signerOf(network, tnr)
    await root.stop('away')
    const { trust, limits, host } = tnr.attached
    const { networkId } = tnr.registry
    await host.services.admin?.stop()
    const served = await serve({ registrar: host, trust, limits }, adminProtocol(limits), async ({ frames }) => {
      const { call } = decodeCall((await frames.read()) ?? new Uint8Array(), networkId)
      if (!('document' in call)) return
      const publish = readPublish(call.document.body)
      for (let left = publish.sizeBytes; left > 0; ) left -= (await frames.read())?.length ?? left
      const { n, hash: prevHash, epoch } = tnr.registry.replica.head
      const place = { networkId, n: n + 1, prevHash, epoch, timeMs: Date.now() }
      const entry = sealEntry({ ...place, kind: 'publish', body: publish }, signer).bytes
      const answer = { version: 1, status: statuses.OK, retryAfterMs: 0, waiting: [] }
      await frames.write(AdminAnswer.encode({ ...answer, entries: [entry] }))
    })
    disposeAfterTest({ [Symbol.asyncDispose]: () => served.close() })
    const content = Buffer.from('first').toString('base64')
    return await hal.control.publishDocument({ id: 'plan', mediaType: 'text/plain', content }).then(
      ({ state }) => state,
      (error: Error) => error.name
    )
  }

  attack('a secondary tells a publisher that its document is published, with an entry of its own', async () => {
    const said = await lying((_, tnr) => tnr.key)
    expect(said).toBe('ChangedMeanwhileError')
    return { happened: `the publisher is told: ${said}`, held: 'an entry counts that is signed by the log key' }
  })

  control('who has the log key is believed', async () => {
    const keyOf = (network: TestNetwork): SigningKey =>
      loadKey(dataFiles(network.config('root').config.paths.data).logKey)
    expect(await lying(keyOf)).toBe('published')
  })
})
