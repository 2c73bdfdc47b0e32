import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { maxNodeBytes } from '../../../src/content/node.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import type { Rate } from '../../../src/protocols/engine/rate-limiter.ts'
import { statuses } from '../../../src/protocols/engine/status.ts'

const { stream, strangers, hello, register, sync, lookup, probe, blocks, forward, relay, link, admin, announce, kad } =
  defaultLimits

const kib = (bytes: number): string => `${bytes / 1024} KiB`
const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`
const s = (ms: number): string => `${ms / 1000} s`
const h = (ms: number): string => `${ms / 3_600_000} h`
const number = (value: number): string => value.toLocaleString('en')
const rate = ({ count, perMs }: Rate): string => `${number(count)} in ${s(perMs)}`

/** What the bound of each row must hold, in this order of rows. A row without a limit of ours has an empty list. */
const docs: Record<string, [string, string[]][]> = {
  hello: [
    ['frame', [kib(hello.frameBytes)]],
    ['delegations', [String(hello.delegations)]],
    ['whole exchange', [s(hello.deadlineMs)]],
    ['streams', [`${hello.streams} per connection`, rate(hello.rate)]],
    ['a frame, once begun', [s(stream.frameMs)]],
    ['connections whose hello is due', [String(strangers.young), s(hello.settleMs)]],
    ['streams that are refused for their rate', [rate(stream.refused)]],
    ['streams that are cut for an unfinished frame or a stalled reader', [rate(stream.slow)]],
    ['strangers', [`${strangers.open} open`, s(strangers.ms)]],
    ['joiners that wait', [String(strangers.waiting), h(strangers.waitingMs)]]
  ],
  admin: [
    ['request', [kib(admin.requestBytes)]],
    ['answer', [kib(admin.answerBytes)]],
    ['acts', []],
    ['acts that wait for a second operator', []],
    ['streams', [`${admin.streams} per connection`, rate(admin.rate)]],
    ['requests that members bring to a node that is not the root', [rate(admin.relayed), rate(admin.relayedOfPeer)]],
    ['answer within', [s(admin.deadlineMs)]]
  ],
  register: [
    ['frame to the registry', [kib(register.frameBytes)]],
    ['frame to the node', [kib(register.answerBytes)]],
    ['streams', [`${register.streams} per connection`, `${register.opens.count} opened in ${s(register.opens.perMs)}`]],
    ['registrations', [rate(register.registers)]],
    ['heartbeats', [rate(register.heartbeats)]],
    ['records', [rate(register.puts)]],
    ['renew, forget, forward, handOver, deregister', [rate(register.requests)]],
    ['all of these, except registrations, of a root or secondary', [rate(register.registryRequests)]],
    ['frames, whatever is in them', [rate(register.frames)]],
    ['first joins and renewals of strangers', [rate(register.strangerJoins)]],
    ['of these, joins without an invite', [rate(register.uninvitedJoins), rate(register.uninvitedOfSite)]],
    ['failed proofs', [rate(register.failedProofs)]],
    ['requests in flight', [String(register.inFlight)]],
    ['keys in a heartbeat', [String(register.connected)]],
    ['reason of a goodbye', [String(register.reasonChars)]],
    ['first request', [s(register.requestMs)]],
    ['a request · a registration', [s(register.requestMs), s(register.joinMs)]],
    ['a reader that reads nothing', [s(stream.stallMs), mib(stream.writeBufferBytes)]]
  ],
  sync: [
    ['request', [kib(sync.requestBytes), s(sync.requestMs)]],
    ['frame', [kib(sync.frameBytes), String(sync.hints)]],
    ['streams', [`${sync.streams} per connection`, `${sync.rate.count} opened a minute`]],
    ['stalled reader', [s(stream.stallMs)]],
    ['subscribers that are pushed records', [String(sync.recordSubscribers)]],
    ['client: no frame while catching up', [s(sync.progressMs)]],
    [
      'client: waiting while catching up, all in all',
      [s(sync.patienceMs), kib(sync.paceBytes), kib(sync.otherPaceBytes), `${sync.otherMs / 60_000} min`]
    ],
    ['server: waiting for its reader, all in all', [s(sync.patienceMs), kib(sync.paceBytes)]],
    ['client: no frame that says something afterwards', [s(sync.silenceMs)]]
  ],
  lookup: [
    ['request', [kib(lookup.requestBytes)]],
    ['answer', [kib(lookup.answerBytes)]],
    ['rows', [String(lookup.defaultRows), String(lookup.rows)]],
    ['streams', [`${lookup.streams} per connection`, `${lookup.rate.count} opened a second`]],
    ['questions', [`${number(lookup.questions.count)} a second`]],
    ['members looked at, and KiB of answers', [rate(lookup.cost), s(lookup.waitMs)]],
    ['answer within', [s(lookup.deadlineMs)]]
  ],
  probe: [
    ['request', [`${probe.requestBytes} bytes`]],
    ['answer', [kib(probe.answerBytes)]],
    ['streams', [`${probe.streams} per connection`, `${probe.rate.count} opened a minute`]],
    ['dials to one address', [`${probe.target.count} a minute`]],
    ['dials to one host, whatever the port', [`${probe.targetHost.count} a minute`]],
    ['dials at a time', [String(probe.running), `${probe.runningOfPeer} for one peer`]],
    ['dial', [s(probe.dialMs)]],
    ['answer within', [s(probe.deadlineMs)]]
  ],
  blocks: [
    ['request', [kib(blocks.requestBytes), String(blocks.digests)]],
    ['block', [mib(blocks.blockBytes)]],
    ['block that is a node of a tree', [kib(maxNodeBytes)]],
    ['streams', [`${blocks.streams} per connection`, rate(blocks.rate)]],
    ['blocks that a peer has not taken', [String(blocks.untakenOfPeer)]],
    ['blocks that are read at a time', [String(blocks.reading)]],
    [
      'bytes that are sent',
      [`${blocks.ofPeer.count / 1024} MiB a second`, `${blocks.ofAll.count / 1024} MiB`, `${blocks.leastKiB} KiB`]
    ],
    ['stalled reader', [s(blocks.stallMs)]],
    ['no request', [s(blocks.idleMs)]],
    ['client: sources at a time', [String(blocks.sources)]],
    ['client: on their way from one source', [String(blocks.window), mib(blocks.windowBytes)]],
    ['client: of one fetch', [String(blocks.lookAhead), mib(blocks.fetchBytes)]],
    ['client: a block that was begun', [s(blocks.frameMs)]],
    ['client: a source that owes answers and is silent', [s(blocks.silenceMs)]],
    ['client: asked of another, too', [s(blocks.hedgeMs)]],
    ['client: a source that failed', [s(blocks.restMs)]],
    ['client: a source that answered wrongly', [h(blocks.wrongMs)]],
    ['client: nobody gives anything', [s(blocks.idleFetchMs)]]
  ],
  forward: [
    ['request', [`${forward.requestBytes} bytes`, s(forward.connectMs)]],
    ['answer', [`${forward.answerBytes} bytes`, s(forward.openMs)]],
    ['forwards of a member', [String(forward.ofPeer), number(forward.ofAll)]],
    ['opened', [rate(forward.rate), String(forward.opening)]],
    ['bytes on the way', [mib(forward.windowBytes)]],
    ['bytes that came and were not taken', [mib(forward.waitingBytesOfPeer), mib(forward.waitingBytes)]],
    ['pieces to a member', [rate(forward.pieces)]],
    ['nothing moves', [`${forward.idleMs / 60_000} min`]],
    ['client: connections of a listener', [String(forward.ofListener)]],
    ['client: commands', [String(forward.commands)]]
  ],
  relay: [
    ['message', [kib(relay.messageBytes), s(relay.openMs)]],
    ['streams', [rate(relay.rate), `${relay.circuitsOfPeer + relay.opening} per connection`]],
    ['reservations', [number(relay.reservations), h(relay.reservationMs)]],
    ['circuits', [String(relay.circuits), String(relay.circuitsOfPeer)]],
    [
      'bytes',
      [
        `${number(relay.ofPeer.count)} KiB in ${s(relay.ofPeer.perMs)}`,
        `${number(relay.ofAll.count)} KiB in ${s(relay.ofAll.perMs)}`
      ]
    ],
    ['bytes that wait at the relay', [mib(relay.waitingBytes)]],
    ['nothing moves', [s(relay.idleMs), s(relay.stillMs)]],
    ['a circuit', [h(relay.circuitMs)]],
    ['client: circuits that others open to it', [String(relay.inbound)]],
    ['client: relays', [String(relay.wanted), s(relay.lookMs), `${relay.betterLooks} looks`]],
    ['client: a relay says nothing', [s(relay.muteMs), s(relay.silentMs)]]
  ],
  '../link': [
    ['dials that packets cause', [rate(link.dials), rate(link.dialsOfPeer)]],
    ['hints', [String(link.hints), `of one machine ${link.hintsOfPeer}`]],
    ['packets with the tag, of 512 bytes at most', [rate(link.ofAll), rate(link.ofPeer)]],
    ['questions, answers of this node', [rate(link.questions), rate(link.answers)]]
  ],
  announce: [
    ['message', [kib(announce.messageBytes)]],
    ['frame', [kib(announce.inboundBytes)]],
    [
      'per frame',
      [
        `${announce.subscriptions} subscriptions`,
        `${announce.messages} messages`,
        `${announce.control} control messages`,
        `${number(announce.ihaveIds)} ids told`,
        `${announce.iwantIds} ids asked`
      ]
    ],
    [
      'author',
      [`${announce.author.count} at once`, `${(announce.author.count * 1000) / announce.author.perMs} a second`]
    ],
    [
      'of one peer',
      [
        `${announce.inbound.count} KiB at once`,
        `${(announce.inbound.count * 1000) / announce.inbound.perMs} KiB in 1 s`
      ]
    ],
    ['streams', [`${announce.streams} in, ${announce.streams} out`]],
    ['unsent', [mib(announce.outboundBytes)]],
    ['members that a root or secondary gossips with', [String(announce.circle)]],
    ['topics', []]
  ],
  kad: [
    ['message', [kib(kad.frameBytes)]],
    ['messages of one peer', [`${number(kad.inbound.count)} KiB in ${s(kad.inbound.perMs)}`, kib(kad.leastBytes)]],
    ['value', [kib(kad.valueBytes)]],
    ['values of a server', [number(kad.values)]],
    ['streams', [`${kad.streams} in, ${kad.streams} out`]],
    ['query', [s(kad.queryMs)]],
    ['answers', [String(kad.answers)]]
  ]
}

/** Cells of the table under "## Limits", and what stands in the whole row. */
const rowsOf = (name: string): { what: string; row: string }[] => {
  const page = readFileSync(new URL(`../../../docs/protocols/${name}.md`, import.meta.url), 'utf8')
  const [, limits = ''] = page.split('\n## Limits\n')
  const [table = ''] = limits.split('\n## ')
  const rows = table.split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(1).map((row) => ({ what: row.split('|')[1]?.trim() ?? '', row }))
}

describe('the limits in the page of', () => {
  it.each(Object.entries(docs))('%s are those of the program, row by row', (name, expected) => {
    const rows = rowsOf(name)
    expect(rows.map(({ what }) => what)).toEqual(expected.map(([what]) => what))
    for (const [index, [, texts]] of expected.entries()) {
      for (const text of texts) expect(rows[index]?.row).toMatch(new RegExp(`(^|[^\\d.,])${text}([^\\d]|$)`))
    }
  })
})

it('the page of all protocols has the number of each status', () => {
  const page = readFileSync(new URL('../../../docs/protocols/README.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/(\d+) \| ([A-Z_]+) \|/g)].map(([, value, name]) => [name, Number(value)])
  expect(Object.fromEntries(listed)).toEqual(statuses)
})
