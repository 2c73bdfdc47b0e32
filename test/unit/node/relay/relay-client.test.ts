import { afterEach, expect, it } from 'vitest'
import { RelayClient } from '../../../../src/node/relay/relay-client.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { hopId, relayServer } from '../../../../src/protocols/relay/index.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../../src/runtime/supervisor.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withoutSockets } from '../../../helpers/hosts.ts'
import { eventually } from '../../../helpers/network.ts'

withoutSockets()

const limits = limitsWith({ relay: { lookMs: 20, betterLooks: 3 } })

const started: AsyncDisposable[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each[Symbol.asyncDispose]()))
})

const member = async (members: Members, serves: boolean) => {
  const host = await startMember<Record<string, unknown>>({
    members,
    services: ({ trust }) => (serves ? { relay: relayServer({ trust, limits, mayServe: () => true }) } : {})
  })
  started.push(host)
  return host
}

/** A client of three relays; `rtts`: what it measures of each, ms, by PeerId. */
const clientOfThree = async () => {
  const members: Members = new Map()
  const relays = [await member(members, true), await member(members, true), await member(members, true)] as const
  const own = await member(members, false)
  const rtts = new Map<string, number>()
  let looks = 0
  const client = new RelayClient({
    use: {
      wantsRelays: () => {
        looks++
        return true
      },
      mayRelay: () => true,
      protocolsOf: () => Promise.resolve([hopId]),
      rttMs: (peerId) => rtts.get(peerId),
      changed: () => Promise.resolve()
    },
    trust: own.trust,
    limits,
    clock: systemClock,
    logger: silentLogger
  })
  started.push({
    [Symbol.asyncDispose]: () => {
      client.stop()
      return Promise.resolve()
    }
  })
  for (const { host } of relays) await connect(own.host, host)
  return { relays, rtts, client, looks: () => looks }
}

const idOf = ({ host }: MemberHost<Record<string, unknown>>): string => host.peerId.toString()

it('takes the relays that answer soonest, and another one when it goes on answering much sooner than one of them', async () => {
  const { relays, rtts, client, looks } = await clientOfThree()
  const [near, middle, far] = [idOf(relays[0]), idOf(relays[1]), idOf(relays[2])]
  rtts.set(near, 5).set(middle, 40).set(far, 90)
  client.start(new Supervisor())
  const isChosen = (...peers: string[]): boolean =>
    [near, middle, far].every((peer) => client.isReservedAt(peer) === peers.includes(peer))
  await eventually(() => isChosen(near, middle))

  // Not for a little, and not for once.
  rtts.set(far, 30)
  const from = looks()
  await eventually(() => looks() > from + 10)
  expect(isChosen(near, middle)).toBe(true)
  // One that has become slow, and one that answers nothing.
  rtts.set(middle, 200)
  await eventually(() => isChosen(near, far))
  rtts.delete(near)
  await eventually(() => isChosen(middle, far))
})
