import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../src/identity/keys.ts'
import { OrderRelay } from '../../../src/node/root/order-relay.ts'
import { type AdminCall, encodeQuestion } from '../../../src/protocols/admin/index.ts'
import { RateLimitedError } from '../../../src/protocols/engine/errors.ts'
import { limitsWith } from '../../../src/protocols/engine/limits.ts'
import { NotOperatorError, PublishRefusedError } from '../../../src/runtime/errors.ts'
import { asked, ordered } from '../../helpers/operator-orders.ts'
import { RealNetwork } from '../../helpers/real-network.ts'
import { signedBy } from '../../helpers/registry/publisher.ts'

const [ann, eve] = [SigningKey.generate(), SigningKey.generate()]
const hour = 3_600_000
const limits = limitsWith({
  admin: { relayed: { count: 4, perMs: hour }, relayedOfPeer: { count: 3, perMs: hour } }
})

describe('what members bring to a node for the root', () => {
  let network: RealNetwork
  let exceeded: string[]
  beforeEach(async () => {
    network = await RealNetwork.create()
    exceeded = []
    await network.root.root?.append([
      { kind: 'operator', body: { publicKey: ann.publicKey, name: 'ann', removed: false } },
      { kind: 'publisher', body: { publicKey: ann.publicKey, removed: false } }
    ])
  })
  afterEach(async () => await network[Symbol.asyncDispose]())

  function relay(root = false): OrderRelay {
    const { networkId, replica, root: powers } = network.root
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- who exceeds a limit is all that is told
    const trust = {
      culprits: { exceeded: (limit: string) => exceeded.push(limit) }
    } as unknown as ConstructorParameters<typeof OrderRelay>[0]['trust']
    return new OrderRelay({ registry: { networkId, replica, root: root ? powers : undefined }, trust, limits })
  }

  const callsOf = (key: SigningKey): AdminCall[] => {
    const question = encodeQuestion({ what: 'waiting' })
    const body = { publicKey: eve.publicKey, name: 'eve', removed: false }
    return [
      { acts: [ordered(network, key, { kind: 'operator', body })] },
      { question, order: asked(network, key, question) },
      { document: signedBy(network, key, 'first') }
    ]
  }

  it('is of an operator or a publisher', () => {
    const own = relay()
    for (const call of callsOf(ann)) expect(() => own.judge(call, eve.publicKey)).not.toThrow()
    const refusals = [NotOperatorError, NotOperatorError, PublishRefusedError]
    for (const [at, call] of callsOf(eve).entries()) {
      expect(() => relay().judge(call, eve.publicKey)).toThrow(refusals[at])
    }
    expect(exceeded).toEqual([])
  })

  it('is no more than its share of one member, and of all', () => {
    const own = relay()
    const [call] = callsOf(ann)
    if (call === undefined) throw new Error('no call')
    for (let brought = 0; brought < 3; brought++) own.judge(call, eve.publicKey)
    expect(() => own.judge(call, eve.publicKey)).toThrow(RateLimitedError)
    own.judge(call, ann.publicKey)
    expect(() => own.judge(call, ann.publicKey)).toThrow(RateLimitedError)
    expect(exceeded).toEqual(['admin.relayedOfPeer', 'admin.relayed'])
  })

  it('is not judged at the root, which does so itself', () => {
    const atRoot = relay(true)
    for (let round = 0; round < 3; round++) {
      for (const call of callsOf(eve)) expect(() => atRoot.judge(call, eve.publicKey)).not.toThrow()
    }
  })
})
