import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { describe, expect, test, vi } from 'vitest'
import { peerIdText } from '../../../../src/identity/keys.ts'
import { appTopic, gossipOptions } from '../../../../src/protocols/announce/options.ts'
import { type TopicMessage, type Topics, topics } from '../../../../src/protocols/announce/topics.ts'
import { Culprits } from '../../../../src/protocols/engine/culprits.ts'
import { defaultLimits } from '../../../../src/protocols/engine/limits.ts'
import { membersOnly } from '../../../../src/protocols/engine/trust/members-only.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withSockets } from '../../../helpers/hosts.ts'
import { TestClock } from '../../../helpers/real-network.ts'
import { networkId } from '../../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../../helpers/vitest/dispose-after-test.ts'

withSockets()

type Services = { pubsub: GossipSub; topics: Topics }

interface Talker extends MemberHost<Services> {
  readonly heard: TopicMessage[]
  readonly clock: TestClock
  /** Limits that somebody exceeded, and who. */
  named(): string[]
}

const limits = { ...defaultLimits.announce, topicBytes: 64, topicAuthor: { count: 8, perMs: 10_000 } }

/** `isMember`: whom this one takes for members; default: all. */
async function start(
  members: Members,
  names: readonly string[],
  isMember = (publicKey: Uint8Array): boolean => members.has(peerIdText(publicKey))
): Promise<Talker> {
  const heard: TopicMessage[] = []
  const clock = new TestClock()
  const culprits = new Culprits()
  const member = await startMember<Services>({
    members,
    services: ({ trust }) => ({
      pubsub: membersOnly(trust, gossipsub(gossipOptions(networkId, limits, names))),
      topics: topics({
        networkId,
        names,
        limits,
        clock,
        culprits,
        isMember,
        onMessage: (message) => heard.push(message)
      })
    })
  })
  disposeAfterTest(member)
  const named = (): string[] =>
    culprits.counts.flatMap(({ limit, culprits: found }) => found.map(({ who }) => `${limit} ${who}`))
  return { ...member, heard, clock, named, [Symbol.asyncDispose]: member[Symbol.asyncDispose] }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const said = ({ heard }: Talker): string[] => heard.map(({ topic, data }) => `${topic}: ${text(data)}`)
const say = ({ host }: Talker, what: string): Promise<void> => host.services.topics.publish('news', Buffer.from(what))
/** Past the own limits of the service, as another program would. */
const sayAnyway = async ({ host }: Talker, what: string): Promise<unknown> =>
  await host.services.pubsub.publish(appTopic(networkId, 'news'), Buffer.from(what))

/** Number of others that it sends a message to. gossipsub's class has it, its exported type leaves it out. */
function audience({ pubsub }: Services): number {
  if (!('getMeshPeers' in pubsub) || typeof pubsub.getMeshPeers !== 'function') throw new Error('gossipsub has no mesh')
  return pubsub.getMeshPeers(appTopic(networkId, 'news')).length
}

const reaches = async ({ host }: Talker, count: number): Promise<void> =>
  await expect.poll(() => audience(host.services)).toBe(count)

async function pair(): Promise<{ speaker: Talker; listener: Talker }> {
  const members: Members = new Map()
  const speaker = await start(members, ['news'])
  const listener = await start(members, ['news'])
  await connect(speaker.host, listener.host)
  await reaches(speaker, 1)
  return { speaker, listener }
}

describe('a topic of the program', () => {
  test('brings a message to the members that have it, with the key of its author', async () => {
    const members: Members = new Map()
    const speaker = await start(members, ['news', 'more'])
    const listener = await start(members, ['news'])
    const other = await start(members, ['more'])
    for (const each of [listener, other]) await connect(speaker.host, each.host)
    await reaches(speaker, 1)
    await say(speaker, 'one')
    await say(speaker, 'one')
    await expect.poll(() => said(listener)).toEqual(['news: one', 'news: one'])
    expect(listener.heard[0]?.publicKey).toEqual(speaker.key.publicKey)
    expect([speaker.heard, other.heard]).toEqual([[], []])
  })

  test('carries no message that is too long: it is refused here, and costs whoever sends it all the same', async () => {
    const { speaker, listener } = await pair()
    await expect(say(speaker, 'x'.repeat(65))).rejects.toThrow(
      '65 bytes are more than the 64 of a message on a topic: open a stream'
    )
    await sayAnyway(speaker, 'x'.repeat(65))
    await say(speaker, 'x'.repeat(64))
    await expect.poll(() => said(listener)).toEqual([`news: ${'x'.repeat(64)}`])
    await expect.poll(() => listener.named()).toEqual([`announce.topicBytes ${speaker.host.peerId.toString()}`])
  })

  test('takes half as many of the own messages as others would hear, and says when the next one may go', async () => {
    const { speaker, listener } = await pair()
    for (let sent = 1; sent <= 4; sent++) await say(speaker, String(sent))
    await expect(say(speaker, 'one too many')).rejects.toThrow(
      /too many messages on topics: the next one may be sent in \d+ ms/
    )
    speaker.clock.advance(10_000)
    await say(speaker, 'later')
    await expect.poll(() => said(listener).length).toBe(5)
    expect(listener.named()).toEqual([])
  })

  test('is heard from an author so often, who is named when it sends more itself', async () => {
    const { speaker, listener } = await pair()
    for (let sent = 1; sent <= 12; sent++) await sayAnyway(speaker, String(sent))
    await expect.poll(() => listener.named()).toEqual([`announce.topicAuthor ${speaker.host.peerId.toString()}`])
    await expect.poll(() => listener.heard.length).toBe(8)
    listener.clock.advance(10_000)
    await sayAnyway(speaker, 'again')
    await expect.poll(() => said(listener).at(-1)).toBe('news: again')
  })

  test('names nobody who passes on what an author says too often', async () => {
    const members: Members = new Map()
    const isMember = vi.fn<(publicKey: Uint8Array) => boolean>(() => true)
    const speaker = await start(members, ['news'])
    const between = await start(members, ['news'])
    const listener = await start(members, ['news'], isMember)
    await connect(speaker.host, between.host)
    await connect(between.host, listener.host)
    await reaches(between, 2)
    await reaches(speaker, 1)
    for (let sent = 1; sent <= 8; sent++) await sayAnyway(speaker, String(sent))
    await expect.poll(() => listener.heard.length).toBe(8)
    // The one between forgets earlier what it has heard than the one behind it.
    between.clock.advance(10_000)
    await sayAnyway(speaker, 'one too many')
    await expect.poll(() => said(between).at(-1)).toBe('news: one too many')
    await expect.poll(() => isMember.mock.calls.length).toBe(9)
    listener.clock.advance(10_000)
    await sayAnyway(speaker, 'again')
    await expect.poll(() => said(listener).at(-1)).toBe('news: again')
    expect(said(listener)).not.toContain('news: one too many')
    expect([between.named(), listener.named()]).toEqual([[], []])
  })

  test('is not heard from somebody who is no member here', async () => {
    const members: Members = new Map()
    const isMember = vi.fn<(publicKey: Uint8Array) => boolean>(() => false)
    const speaker = await start(members, ['news'])
    const listener = await start(members, ['news'], isMember)
    await connect(speaker.host, listener.host)
    await reaches(speaker, 1)
    await say(speaker, 'one')
    await expect.poll(() => isMember.mock.calls).toEqual([[speaker.key.publicKey]])
    isMember.mockReturnValue(true)
    await say(speaker, 'two')
    await expect.poll(() => said(listener)).toEqual(['news: two'])
  })
})
