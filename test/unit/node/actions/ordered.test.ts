import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import { OrderedCalls } from '../../../../src/node/actions/ordered.ts'
import type { NetworkNode } from '../../../../src/node/network-node.ts'
import { sealEntry } from '../../../../src/registry/objects/entry.ts'
import type { Act } from '../../../../src/registry/objects/orders/act.ts'
import { ordered } from '../../../helpers/operator-orders.ts'
import { RealNetwork } from '../../../helpers/real-network.ts'

const operator = SigningKey.generate()
const content = { kind: 'operator', body: { publicKey: operator.publicKey, name: 'ann', removed: false } } as const

describe('an order that a call has had signed', () => {
  let network: RealNetwork
  beforeEach(async () => {
    network = await RealNetwork.create()
  })
  afterEach(async () => await network[Symbol.asyncDispose]())

  /** Gives the number of the entry with which a root with this key answers. */
  async function answeredBy(key: SigningKey, changed: (acts: readonly Act[]) => readonly Uint8Array[] = ordersOf) {
    const { root } = network
    const { networkId, replica } = root
    const { hash: prevHash, epoch } = replica.head
    const submit = async (acts: readonly Act[]): Promise<{ bytes: Uint8Array }[]> => {
      // The answer is of the place that the head has already, so that nobody waits for it.
      const place = { networkId, n: replica.head.n, prevHash, epoch, timeMs: network.clock.now() }
      return [sealEntry({ ...place, ...content, orders: [...changed(acts)] }, key)]
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of a node by which it carries an order out
    const node = {
      registry: { networkId, replica, root: { isReplaced: false }, admission: { orders: { submit } } }
    } as unknown as NetworkNode
    const calls = new OrderedCalls()
    const { ticket } = await calls.begin(node, operator.publicKey, async (author) => {
      const [entry] = await author.append([content])
      return { n: entry?.value.n }
    })
    const { order } = ordered(network, operator, content)
    return (await calls.goOn(ticket, [Buffer.from(order).toString('base64')])).answer
  }

  it('is done by an entry of the log key that holds it', async () => {
    expect(await answeredBy(network.logKey)).toEqual({ n: network.root.replica.head.n })
  })

  it('is not done by an entry of another key, nor by one without it', async () => {
    await expect(answeredBy(network.rootKey)).rejects.toThrow('other entries than were ordered')
    await expect(answeredBy(SigningKey.generate())).rejects.toThrow('other entries than were ordered')
    const other = ordered(network, SigningKey.generate(), content)
    await expect(answeredBy(network.logKey, () => [other.order])).rejects.toThrow('other entries than were ordered')
    await expect(answeredBy(network.logKey, () => [])).rejects.toThrow('other entries than were ordered')
  })
})

const ordersOf = (acts: readonly Act[]): Uint8Array[] => acts.map(({ order }) => order)
