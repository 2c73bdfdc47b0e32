import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { parseNetworkId } from '../../../src/identity/network-id.ts'
import { announcement, linkTag, question } from '../../../src/node/link/packets.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { HostMembers } from '../../hosts/host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../../hosts/host-network.ts'
import { attack, control } from '../attack.ts'

/**
 * Sends packets from so many link-local addresses of its own, each every so many ms, and says how many connections came to the ports that
 * the packets name, where something listens that is no node.
 */
const mallory = `
const dgram = require('node:dgram'), net = require('node:net'), { execFileSync } = require('node:child_process')
const [sources, everyMs, atOnce, ...packets] = process.argv.slice(1)
let connections = 0
for (let port = 7001; port <= 7004; port++)
  net.createServer((socket) => {
    connections++
    socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\\r\\n\\r\\n')
  }).listen(port, '::')
setInterval(() => console.log(connections), 100)
for (let n = 1; n <= Number(sources); n++) {
  const address = 'fe80::bad:' + n.toString(16)
  execFileSync('ip', ['-6', 'address', 'add', address + '/64', 'dev', 'eth0', 'nodad'])
  const socket = dgram.createSocket({ type: 'udp6', reuseAddr: true })
  socket.bind(5353, address + '%eth0', () => setInterval(() => {
    for (let sent = 0; sent < Number(atOnce); sent++)
      for (const packet of packets) socket.send(Buffer.from(packet, 'hex'), 5353, 'ff02::fb%eth0', () => {})
  }, Number(everyMs)))
}`

interface Scene {
  readonly members: HostMembers
  readonly tag: string
  /** Gives the connections that came so far. */
  readonly begin: (sources: number, everyMs: number, atOnce: number, packets: readonly Buffer[]) => () => number
}

const scene = async (): Promise<Scene> => {
  const network = new HostNetwork(['root', 'one', 'mallory'])
  disposeAfterTest(network)
  const members = new HostMembers(network, 'link.test', { TRUSTNET_LINK: 'on' })
  members.found()
  members.registry('root')
  await members.status(
    ['root'],
    ceilingMs,
    ({ membership, link }) => membership.state === 'member' && link !== null && link.interfaces.length > 0
  )
  const { network: found } = await members.client('root').status()
  const tag = linkTag(parseNetworkId(found?.id ?? ''))
  const begin = (sources: number, everyMs: number, atOnce: number, packets: readonly Buffer[]): (() => number) => {
    let connections = 0
    const words = [sources, everyMs, atOnce].map(String)
    const command = [process.execPath, '-e', mallory, ...words, ...packets.map((bytes) => bytes.toString('hex'))]
    const child: ChildProcess = spawn('ip', ['netns', 'exec', network.host('mallory').namespace, ...command], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    disposeAfterTest({ [Symbol.dispose]: () => void child.kill('SIGKILL') })
    if (child.stdout === null) throw new Error('no output of the attacker')
    createInterface(child.stdout).on('line', (line) => {
      connections = Number(line)
    })
    return () => connections
  }
  return { members, tag, begin }
}

/** Those at once, and those that come again within a minute. */
const dialsPerMinute = defaultLimits.link.dials.count * (1 + 60_000 / defaultLimits.link.dials.perMs)

const lies = (tag: string): Buffer[] =>
  [7001, 7002, 7003, 7004].map((port) => announcement(tag, { instance: `00000000000${port}0`, port }))

describeUnless(whyNoNamespaces())('a link', () => {
  attack('lies of thirty machines about who listens where', async () => {
    const { members, tag, begin } = await scene()
    const from = performance.now()
    const connections = begin(30, 1_000, 1, lies(tag))
    const dialled = async (): Promise<number> => (await members.client('root').status()).link?.dialled ?? 0
    await expect.poll(dialled, { timeout: ceilingMs }).toBeGreaterThan(4)
    await members.join('one', 'integrated')
    await members.status(['one'], ceilingMs, ({ membership }) => membership.state === 'member')
    const dials = await dialled()
    const minutes = Math.ceil((performance.now() - from) / 60_000)
    expect(dials).toBeLessThanOrEqual(minutes * dialsPerMinute)
    await expect.poll(connections, { timeout: ceilingMs }).toBeGreaterThan(0)
    // The root and the newcomer.
    expect(connections()).toBeLessThanOrEqual(2 * (minutes + 1) * dialsPerMinute)
    const { link, connections: open } = await members.client('root').status()
    expect(link?.hints).toBeLessThanOrEqual(64)
    expect(open.members).toBe(1)
    return {
      happened: `120 lies a second for ${minutes} min: ${dials} dials, ${connections()} connections to what is no node`,
      held: `${dialsPerMinute} dials in any minute that packets cause, 64 addresses kept, and none counts before it proves itself`
    }
  })

  attack('a flood of questions and of bytes around the tag', async () => {
    const { members, tag, begin } = await scene()
    const garbage = Buffer.concat([Buffer.from([0, 0, 0x84, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]), Buffer.from(`_${tag}`)])
    begin(4, 10, 50, [question(tag), garbage])
    await members.status(['root'], ceilingMs, ({ link }) => (link?.dropped ?? 0) > 20_000)
    await members.join('one', 'integrated')
    await members.status(['one'], ceilingMs, ({ membership }) => membership.state === 'member')
    const { link, limits } = await members.client('root').status()
    const named = limits.find(({ limit }) => limit === 'link.ofPeer')
    expect(named?.culprits.some(({ who }) => who.includes('fe80::bad:'))).toBe(true)
    expect(members.network.log('root', 'root').match(/link\.of(Peer|All)/g)?.length).toBeLessThan(120)
    return {
      happened: `${link?.dropped} packets of a flood were not looked at, and a newcomer joined beside it`,
      held: '20 packets of a machine in 10 s and 200 of all in a second are looked at; 12 answers a minute; who sends more is named'
    }
  })

  attack('a flood of what other programs say there', async () => {
    const { members, tag, begin } = await scene()
    const others = Array.from({ length: 60 }, () => question('0'.repeat(tag.length)))
    // Each time the packet of this network is the last one of its machine.
    begin(1, 1_000, 1, [...others, ...lies(tag).slice(0, 1)])
    await members.status(['root'], ceilingMs, ({ link }) => (link?.hints ?? 0) > 0)
    const { link, limits } = await members.client('root').status()
    expect(link?.dropped).toBe(0)
    expect(limits.filter(({ limit }) => limit.startsWith('link.'))).toEqual([])
    return {
      happened: 'behind 60 packets a second of its machine the one of this network was heard, and nobody was named',
      held: 'packets without the tag are neither decoded nor counted'
    }
  })

  control('one packet of a machine is heard, and what it names is dialled', async () => {
    const { members, tag, begin } = await scene()
    expect((await members.client('root').status()).link?.dialled).toBe(0)
    const connections = begin(1, 1_000, 1, lies(tag).slice(0, 1))
    await expect.poll(connections, { timeout: ceilingMs }).toBeGreaterThan(0)
  })
})
