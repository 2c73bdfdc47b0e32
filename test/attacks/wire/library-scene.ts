import { monitorEventLoopDelay } from 'node:perf_hooks'
import { identifyPush } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { peerIdText, type SigningKey } from '../../../src/identity/keys.ts'
import { hostGuard } from '../../../src/protocols/engine/host-guard.ts'
import { type LimitOverrides, limitsWith } from '../../../src/protocols/engine/limits.ts'
import { membersOnly } from '../../../src/protocols/engine/trust/members-only.ts'
import { type Kad, kad } from '../../../src/protocols/kad/index.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { type MemberHost, type Members, startMember } from '../../helpers/hosts/members.ts'
import { connect, connectionWith } from '../../helpers/hosts.ts'
import { networkId } from '../../helpers/signed-objects.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'

type Services = { guard: object; ping: Ping; kad: Kad; identifyPush: object }
export type Host = MemberHost<Services>

export const MiB = 2 ** 20
const plenty = { count: 1_000_000_000, perMs: 1 }
export const lifted: LimitOverrides = {
  kad: { frameBytes: 4 * MiB, inbound: plenty },
  ping: { inbound: plenty },
  // Whoever is answered at once sends more frames than a member may.
  connection: { frames: plenty, registryFrames: plenty },
  identify: { opens: plenty, messages: 10 },
  peers: { addresses: 1_000_000, protocols: 1_000_000, textBytes: MiB, addressBytes: MiB, envelopeBytes: MiB }
}

export const startVictim = async (members: Members, overrides: LimitOverrides = {}): Promise<Host> => {
  const limits = limitsWith(overrides)
  const host = await startMember<Services>({
    members,
    role: 'root',
    services: ({ trust, records }) => ({
      guard: hostGuard({ trust, limits }),
      identifyPush: identifyPush(),
      ping: membersOnly(trust, ping({ maxInboundStreams: 4 }), { bounds: { section: 'ping', ...limits.ping } }),
      kad: kad({
        source: { networkId, records, replica: { isMember: (key) => members.has(peerIdText(key)) } },
        trust,
        logger: silentLogger,
        server: true,
        limits: limits.kad
      })
    })
  })
  disposeAfterTest(host)
  return host
}

export const startAttacker = async (members: Members) => {
  const host = await startMember<{ identifyPush: object; ping: Ping }>({
    members,
    services: () => ({ identifyPush: identifyPush(), ping: ping({ maxOutboundStreams: 10 }) })
  })
  disposeAfterTest(host)
  return host
}

export const scene = async (overrides: LimitOverrides = {}) => {
  const members: Members = new Map()
  const victim = await startVictim(members, overrides)
  const attacker = await startAttacker(members)
  const connection = await connect(attacker.host, victim.host)
  await connectionWith(victim.host, attacker.host)
  return { members, victim, attacker, connection }
}

export const named = ({ trust }: Host): string[] => [
  ...new Set(trust.culprits.counts.flatMap(({ limit, culprits }) => culprits.map(({ who }) => `${limit} ${who}`)))
]

const varint = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 0x80)
  }
}
export const framed = (body: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.from(varint(body.length)), body])
export const field = (number: number, body: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.from([(number << 3) | 2, ...varint(body.length)]), body])

/** FIND_NODE with so many peers that are nothing at all, two bytes each: field 8 is closerPeers. */
export const emptyPeers = (count: number): Uint8Array =>
  Buffer.concat([Uint8Array.from([8, 4]), Buffer.alloc(2 * count, Uint8Array.from([(8 << 3) | 2, 0]))])

export const send = async (stream: Stream, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length && stream.status === 'open'; at += 65_536) {
    if (stream.send(bytes.subarray(at, at + 65_536))) continue
    await new Promise<void>((resolve) => {
      stream.addEventListener('drain', () => resolve(), { once: true })
      stream.addEventListener('close', () => resolve(), { once: true })
    })
  }
}

export const endOf = async (stream: Stream): Promise<void> => {
  if (stream.status !== 'open') return
  await new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
}

/** The longest time in which this process did nothing else. */
export const heldWhile = async (work: () => Promise<void>): Promise<number> => {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await work()
  await new Promise((resolve) => setTimeout(resolve, 20))
  delay.disable()
  return Math.round(delay.max / 1e6)
}

export const idOf = ({ key }: { key: SigningKey }): string => peerIdText(key.publicKey)
