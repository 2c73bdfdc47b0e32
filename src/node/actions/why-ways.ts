import { isPeerIdText, peerIdText, publicKeyOf } from '../../identity/keys.ts'
import type { WhyView } from '../api/views.ts'
import type { RegistryWords } from '../matrix/matrix.ts'
import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { wordsOf } from '../views/matrix-view.ts'
import { refOf, withPeer } from '../views/refs.ts'

type Ways = Pick<WhyView, 'addresses' | 'retry' | 'record'>

/** Nothing is known of the ways to it. */
export const noWays: Ways = { addresses: [], retry: null, record: null }

/** Ways to a member: what members say of each address and how the dials of this node ended there, when it dials again, and how the record came. */
export const waysTo = async (
  node: NodeContext,
  network: NetworkNode,
  publicKey: Uint8Array,
  told: Promise<readonly RegistryWords[]>
): Promise<Ways> => {
  const { registry, dials, origins, peers } = network
  const peerId = peerIdText(publicKey)
  const words = wordsOf(registry, publicKey, await told)
  const { lastAddress } = registry.liveness.view(publicKey)
  const known = new Set([...words.map(({ address }) => address), ...(lastAddress === undefined ? [] : [lastAddress])])
  const retry = peers?.retryOf(publicKey)
  const origin = origins.of(publicKey)
  return {
    addresses: [...known].map((address) => ({
      address: withPeer(address, peerId),
      words: words.find((each) => each.address === address)?.words ?? [],
      dials: dials.of(address, peerId).map(({ atMs, tookMs, error }) => ({ atMs, tookMs, error: error ?? null }))
    })),
    retry: retry === undefined ? null : { failures: retry.failures, atMs: Math.round(node.clock.now() + retry.waitMs) },
    record:
      origin === undefined
        ? null
        : {
            way: origin.way,
            from:
              origin.from === undefined || !isPeerIdText(origin.from)
                ? null
                : refOf(registry, publicKeyOf(origin.from)),
            atMs: Math.round(origin.atMs)
          }
  }
}
