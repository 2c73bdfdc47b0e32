import { writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { toString as text } from 'uint8arrays/to-string'
import { LightMember } from '../../bench/harness/members/light-member.ts'
import { memberName, memberRecord, memberRole, nextSeq } from '../../bench/harness/members/members.ts'
import { benchConfig } from '../../bench/harness/network.ts'
import { networkIdText, parseNetworkId } from '../../src/identity/network-id.ts'
import { createLogging } from '../../src/node/logging.ts'
import { TrustNode } from '../../src/node/node.ts'
import { openEntry } from '../../src/registry/objects/entry.ts'
import { sealForgetRequest } from '../../src/registry/objects/forget-request.ts'
import { makeJoin } from '../../src/registry/objects/join.ts'
import { ceilingMs } from '../helpers/ceiling.ts'

/**
 * Members of a running root in a process of their own: they join, show records and leave for good over real connections, as fast as the root
 * answers, and come back whenever it was away. A line on stdout for whatever the root acknowledged, and, by a node that follows its
 * log, for whatever it signed. Arguments: address with PeerId, network id, a folder.
 */
const [address = '', networkText = '', folder = ''] = process.argv.slice(2)
const networkId = parseNetworkId(networkText)
const root = { address, port: 0, networkId }
const lanes = 8
/** They stay, so that the root hears enough heads after a start. */
const regulars = 3
const recordsPerMember = 12
const retryMs = 50

const hex = (bytes: Uint8Array): string => text(bytes, 'base16')
const acknowledge = (...words: (string | number)[]): void => void writeSync(1, `${words.join(' ')}\n`)

let number = 1

/** Again until it is done: the root is away, or was killed over it, and then nobody knows whether it was done. */
async function untilDone<T>(member: LightMember, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch {
      await pause(retryMs)
      await member.register().catch(() => {})
    }
  }
}

async function admitted(): Promise<LightMember> {
  const own = number++
  const member = await LightMember.start(own, root)
  member.onLost = () => {}
  const { key } = member
  const join = makeJoin({ networkId, key, name: memberName(own), role: memberRole(own), timeMs: Date.now() })
  const { admit } = await untilDone(member, () => member.register({ join }))
  member.show(admit)
  acknowledge('member', hex(key.publicKey))
  return member
}

async function show(member: LightMember): Promise<void> {
  const seq = await untilDone(member, async () => {
    // Whoever came back has shown a newer one meanwhile.
    const next = nextSeq()
    await member.session.put(memberRecord(networkId, member.key, next))
    return next
  })
  acknowledge('record', hex(member.key.publicKey), seq)
}

async function forget(member: LightMember): Promise<void> {
  const { key } = member
  const { publicKey } = key
  const membership = openEntry(member.admit, networkId).hash
  const { bytes } = sealForgetRequest({ networkId, publicKey, membership }, key)
  acknowledge('leaving', hex(publicKey))
  try {
    await member.session.forget(bytes)
    acknowledge('ended', hex(publicKey))
  } catch {
    // Done or not: whoever is no member any more is answered nothing.
  }
}

async function lane(): Promise<void> {
  for (let count = 0; ; count++) {
    const member = await admitted()
    for (let shown = 0; shown < recordsPerMember; shown++) await show(member)
    if (count % 3 === 0) await forget(member)
    await member.stop()
  }
}

async function regular(): Promise<void> {
  const member = await admitted()
  for (;;) await show(member)
}

/** A node of the product that follows the log: what it was shown, the root has signed. */
async function follow(): Promise<void> {
  const config = benchConfig(folder, 'follower', {
    'bootstrap.peers': [address],
    networkId: networkIdText(networkId),
    'replication.backoffInitial': '100ms',
    'replication.backoffMax': '1s'
  })
  const node = new TrustNode({
    config,
    logging: createLogging({ node: 'follower', level: 'fatal', format: 'json' }),
    control: false
  })
  await node.start()
  await node.joined({ signal: AbortSignal.timeout(ceilingMs) })
  const { events } = node.registry.replica
  events.addEventListener('entries', ({ detail }) => {
    for (const { value, hash } of detail.entries) acknowledge('signed', value.epoch, value.n, hex(hash))
  })
  events.addEventListener('checkpoint', ({ detail }) => {
    const { epoch, n, headHash } = detail.checkpoint.value
    acknowledge('signed', epoch, n, hex(headHash))
  })
}

await Promise.all([...Array.from({ length: regulars }, regular), ...Array.from({ length: lanes }, lane), follow()])
