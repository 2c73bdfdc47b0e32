import { generateKeyPair } from '@libp2p/crypto/keys'
import { describe, expect, it } from 'vitest'
import { type FollowInit, followRegistry } from '../../../src/node/follow-registry.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { eventually } from '../../helpers/network.ts'

const keyOf = async (): Promise<Uint8Array> => (await generateKeyPair('Ed25519')).publicKey.raw

describe('the connections of a member that was shut out', () => {
  it('are closed when it has been told, but not of one that is a member again by then', async () => {
    const [readmitted, gone] = [await keyOf(), await keyOf()]
    const closed: Uint8Array[] = []
    const events = new EventTarget()
    const members = new Set<Uint8Array>([readmitted])
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts that the end of a membership touches
    const init = {
      registry: { events, replica: { isMember: (key: Uint8Array) => members.has(key) } },
      trust: { ended: (key: Uint8Array) => closed.push(key), onMember: () => () => {}, onGone: () => () => {} },
      host: { services: { sync: { tell: async () => {} } } },
      logger: silentLogger,
      node: { isMember: () => true }
    } as unknown as FollowInit
    const stop = followRegistry(init)
    // The one that is judged last is told last, too.
    for (const publicKey of [readmitted, gone])
      events.dispatchEvent(new CustomEvent('ended', { detail: { publicKey } }))
    await eventually(() => closed.includes(gone))
    stop()
    expect(closed).toEqual([gone])
  })
})
