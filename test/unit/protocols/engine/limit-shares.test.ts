import { describe, expect, test } from 'vitest'
import type { InboundLimits } from '../../../../src/node/host/inbound-limits.ts'
import { defaultLimits, type ProtocolLimits } from '../../../../src/protocols/engine/limits.ts'

/**
 * What uses a limit up. `process`: all peers together, so a few could leave nothing to the others: the value says what share each has, or
 * why there need be none. A limit that is new is missing here, and does not compile.
 */
type Scope = 'time' | 'message' | 'stream' | 'connection' | 'peer' | 'target' | { process: string }
type Scopes<T> = { [Section in keyof T]: { [Name in keyof T[Section]]: Scope } }

const scopes: Scopes<ProtocolLimits> = {
  stream: {
    frameMs: 'time',
    stallMs: 'time',
    progressMs: 'time',
    lingerMs: 'time',
    readAheadBytes: 'stream',
    readAheadFrames: 'stream',
    writeBufferBytes: 'stream',
    refused: 'peer',
    slow: 'peer'
  },
  connection: {
    streams: 'peer',
    strangerStreams: 'peer',
    openStreams: 'peer',
    frames: 'peer',
    registryFrames: 'peer',
    strangerFrames: 'peer',
    frameBytes: 'message',
    negotiationBytes: 'stream',
    unreadBytes: 'connection',
    waitingBytes: { process: 'connection.waitingBytesOfPeer; whoever holds most goes first' },
    waitingBytesOfPeer: 'peer',
    arrivedBytes: { process: 'connection.arrivedBytesOfPeer; whoever holds most goes first' },
    arrivedBytesOfPeer: 'peer',
    penaltyMs: 'time'
  },
  strangers: {
    young: { process: 'the oldest gives way, and hello.deadlineMs ends each' },
    open: { process: 'the oldest idle one gives way of the /48 that has most' },
    ms: 'time',
    unconfirmedMs: 'time',
    waiting: { process: 'the last of the busiest /48 gives way' },
    waitingMs: 'time'
  },
  hello: {
    frameBytes: 'message',
    deadlineMs: 'time',
    streams: 'connection',
    rate: 'peer',
    delegations: 'message',
    settleMs: 'time'
  },
  register: {
    frameBytes: 'message',
    answerBytes: 'message',
    requestMs: 'time',
    joinMs: 'time',
    applyMs: 'time',
    streams: 'connection',
    opens: 'peer',
    registers: 'peer',
    heartbeats: 'peer',
    puts: 'peer',
    requests: 'peer',
    registryRequests: 'peer',
    strangerJoins: { process: 'register.uninvitedJoins: half is kept for those with an invite' },
    uninvitedJoins: { process: 'register.uninvitedOfSite: half is kept for other sites than a /48' },
    uninvitedOfSite: 'peer',
    failedProofs: 'peer',
    frames: 'peer',
    inFlight: 'stream',
    samplePeers: 'message',
    registries: 'message',
    connected: 'message',
    reasonChars: 'message',
    pingMs: 'time',
    pingMaxMs: 'time',
    pingSessions: { process: 'changes how often each is pinged, and refuses nobody' },
    pingMaxSessions: { process: 'changes how often each is pinged, and refuses nobody' },
    pongMs: 'time'
  },
  sync: {
    requestBytes: 'message',
    frameBytes: 'message',
    streams: 'connection',
    rate: 'peer',
    requestMs: 'time',
    progressMs: 'time',
    patienceMs: 'time',
    paceBytes: 'stream',
    otherPaceBytes: 'stream',
    otherMs: 'time',
    silenceMs: 'time',
    hints: 'message',
    recordSubscribers: { process: 'one of each member, the newest; registries are not counted' }
  },
  lookup: {
    requestBytes: 'message',
    answerBytes: 'message',
    streams: 'connection',
    rate: 'peer',
    questions: 'peer',
    cost: 'peer',
    waitMs: 'time',
    answersOfPeer: 'peer',
    deadlineMs: 'time',
    idleMs: 'time',
    rows: 'message',
    defaultRows: 'message'
  },
  probe: {
    requestBytes: 'message',
    answerBytes: 'message',
    streams: 'connection',
    rate: 'peer',
    target: 'target',
    targetHost: 'target',
    running: { process: 'probe.runningOfPeer; the oldest gives way of whoever has most' },
    runningOfPeer: 'peer',
    dialMs: 'time',
    deadlineMs: 'time'
  },
  forward: {
    requestBytes: 'message',
    answerBytes: 'message',
    ofPeer: 'peer',
    ofAll: { process: 'forward.ofPeer; the newest gives way of whoever has most' },
    rate: 'peer',
    opening: 'peer',
    connectMs: 'time',
    openMs: 'time',
    idleMs: 'time',
    windowBytes: 'stream',
    waitingBytesOfPeer: 'peer',
    waitingBytes: { process: 'forward.waitingBytesOfPeer; the forward goes first that holds most' },
    pieces: 'peer',
    commands: { process: 'those of this machine' },
    ofListener: { process: 'those of this machine' }
  },
  relay: {
    messageBytes: 'message',
    rate: 'peer',
    opening: 'peer',
    openMs: 'time',
    reservations: { process: 'one of each member that is connected' },
    reservationMs: 'time',
    circuits: {
      process: 'relay.circuitsOfPeer: one member has one in thirty-two; one gives way of whoever opened most'
    },
    circuitsOfPeer: 'peer',
    stillMs: 'time',
    waitingBytes: {
      process:
        'a window at each end of the circuits of a member; the circuit that holds most goes first of whoever holds most'
    },
    ofPeer: 'peer',
    ofAll: { process: 'relay.ofPeer: one member has a quarter' },
    idleMs: 'time',
    circuitMs: 'time',
    inbound: { process: 'limits.openPerPeer; strangers among them have the places of strangers' },
    wanted: { process: 'this node asks' },
    muteMs: 'time',
    silentMs: 'time',
    lookMs: 'time',
    betterLooks: { process: 'this node asks' }
  },
  link: {
    ofPeer: 'peer',
    ofAll: {
      process: 'link.ofPeer: one machine has a hundredth; whoever forges many addresses delays what comes on its link'
    },
    answers: { process: 'one answer is heard by all who ask' },
    questions: { process: 'this node asks' },
    hints: { process: 'link.hintsOfPeer; none that waits for its dial gives way' },
    hintsOfPeer: 'peer',
    dials: { process: 'link.dialsOfPeer' },
    dialsOfPeer: 'peer'
  },
  admin: {
    requestBytes: 'message',
    answerBytes: 'message',
    streams: 'connection',
    rate: 'peer',
    relayed: { process: 'admin.relayedOfPeer; whoever is a member may ask the root itself' },
    relayedOfPeer: 'peer',
    deadlineMs: 'time'
  },
  blocks: {
    requestBytes: 'message',
    digests: 'message',
    blockBytes: 'message',
    answerBytes: 'message',
    streams: 'connection',
    rate: 'peer',
    idleMs: 'time',
    ofPeer: 'peer',
    ofAll: { process: 'blocks.untakenOfPeer: two of each peer wait for it at a time' },
    leastKiB: 'message',
    untakenOfPeer: 'peer',
    reading: { process: 'blocks.untakenOfPeer: two of each peer are read at a time, and none waits for its reader' },
    writeBufferBytes: 'stream',
    frameMs: 'time',
    stallMs: 'time',
    silenceMs: 'time',
    dialMs: 'time',
    sources: { process: 'each fetch has one beyond it' },
    window: 'peer',
    windowBytes: 'stream',
    lookAhead: { process: 'this process asks: of each of its fetches' },
    fetchBytes: { process: 'this process asks: of each of its fetches' },
    hedgeMs: 'time',
    idleFetchMs: 'time',
    restMs: 'time',
    wrongMs: 'time'
  },
  announce: {
    messageBytes: 'message',
    inboundBytes: 'message',
    subscriptions: 'message',
    messages: 'message',
    control: 'message',
    ihaveIds: 'message',
    iwantIds: 'message',
    streams: 'connection',
    inbound: 'peer',
    leastBytes: 'message',
    outboundBytes: 'peer',
    author: 'peer',
    authors: { process: 'authors are members; one that is forgotten has only a milder limit' },
    verdictMs: 'time',
    headMs: 'time',
    circle: { process: 'one of each member; the others learn by pull, and gossip carries nothing alone' },
    topicBytes: 'message',
    topicAuthor: 'peer'
  },
  ping: { streams: 'connection', inbound: 'peer', leastBytes: 'message' },
  identify: { frameBytes: 'message', messages: 'stream', opens: 'peer' },
  peers: {
    addresses: 'peer',
    protocols: 'peer',
    textBytes: 'message',
    addressBytes: 'message',
    envelopeBytes: 'message'
  },
  kad: {
    frameBytes: 'message',
    inbound: 'peer',
    leastBytes: 'message',
    valueBytes: 'message',
    queryMs: 'time',
    streams: 'connection',
    values: { process: 'one key of each member' },
    answers: 'message',
    republishMs: 'time',
    unheldMs: 'time'
  }
}

/** Limits of connections, before anything is proved. */
const inbound: { [Name in keyof InboundLimits]-?: Scope } = {
  sockets: { process: 'limits.connections is below it, and leaves room for store, log and dials' },
  connections: {
    process: 'limits.openPerPeer; a tenth is kept from strangers, and whoever has most of more than two has one less'
  },
  unfinished: {
    process: 'limits.unfinishedPerPrefix; half is kept for known /64s, and the oldest of the busiest /48 gives way'
  },
  unfinishedPerPrefix: 'peer',
  unfinishedPerMemberPrefix: 'peer',
  openPerPrefix: 'peer',
  openPerPeer: 'peer',
  exemptPrefixes: 'message',
  upgradeTimeoutMs: 'time'
}

const sections = Object.entries(scopes)

describe('limits that all peers use up together', () => {
  test.each(sections)('of %s have shares, and each limit that there is says what uses it up', (section, names) => {
    const limits = new Map<string, object>(Object.entries(defaultLimits))
    expect(Object.keys(names).toSorted()).toEqual(Object.keys(limits.get(section) ?? {}).toSorted())
  })

  test('name shares that are limits of one peer or one site', () => {
    const all: Readonly<Record<string, Readonly<Record<string, Scope>>>> = { ...scopes, limits: inbound }
    const shares = Object.values(all)
      .flatMap((names) => Object.values(names))
      .flatMap((scope) => {
        const named =
          typeof scope === 'object' ? /^(?<section>[a-z]+)\.(?<name>\w+)/i.exec(scope.process)?.groups : undefined
        return named === undefined ? [] : [all[named['section'] ?? '']?.[named['name'] ?? '']]
      })
    expect(shares.length).toBeGreaterThan(0)
    for (const share of shares) expect(share === 'peer' || typeof share === 'object').toBe(true)
  })
})
