import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { networkIdText } from '../../../../src/identity/network-id.ts'
import { announceTopic, gossipOptions } from '../../../../src/protocols/announce/options.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'

const networkId = new Uint8Array(randomBytes(32))

describe('gossip options', () => {
  const options = gossipOptions(networkId)

  test('there is one topic, named by the network', () => {
    expect(options.allowedTopics).toEqual([`/trustnet/${networkIdText(networkId)}/announce/1`])
    expect(announceTopic(networkId)).toBe(`/trustnet/${networkIdText(networkId)}/announce/1`)
  })

  test('the same envelope has the same id whoever publishes it', async () => {
    const data = new Uint8Array(randomBytes(300))
    const message = { type: 'unsigned' as const, topic: 'any', data }
    const id = await options.msgIdFn?.(message)
    expect(id).toEqual(createHash('sha256').update(data).digest().subarray(0, 20))
  })

  test('no frame that our own limits allow is too long for a receiver with the same limits', () => {
    const { messageBytes, inboundBytes, ihaveIds, iwantIds } = defaultLimits.announce
    const recordBytes = 1_024 + 1
    const gossipEnvelope = 320
    expect(iwantIds * (recordBytes + gossipEnvelope)).toBeLessThan(inboundBytes)
    expect(ihaveIds * 22).toBeLessThan(inboundBytes)
    expect(messageBytes).toBeLessThan(inboundBytes)
  })

  test('many members behind one address are no offence, and nothing is flooded', () => {
    expect(options.scoreParams?.IPColocationFactorWeight).toBe(0)
    expect(options.floodPublish).toBe(false)
    expect(options.fallbackToFloodsub).toBe(false)
  })
})
