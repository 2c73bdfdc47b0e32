import type { ProtocolLimits } from './protocol-limits.ts'

export type { ProtocolLimits } from './protocol-limits.ts'

const KiB = 1024

export const defaultLimits: ProtocolLimits = {
  stream: {
    frameMs: 3_000,
    stallMs: 3_000,
    progressMs: 30_000,
    lingerMs: 3_000,
    readAheadBytes: 256 * KiB,
    readAheadFrames: 512,
    // Four times the largest frame, but for blocks, which have limits of their own; yamux' own window is 256 KiB.
    writeBufferBytes: 1024 * KiB,
    // A program that asks too fast is told so; one that does nothing else costs a tenth of a core.
    refused: { count: 1_000, perMs: 10_000 },
    // A machine that sleeps or loses its network breaks all its streams, and once.
    slow: { count: 8, perMs: 60_000 }
  },
  connection: {
    // A stream costs some 0.2 ms before anybody has said what it is for: a fifth of a core for whoever wants nothing else.
    streams: { count: 1_000, perMs: 1_000 },
    // Hello, identify, register, and what a member opens while its proof is on the way.
    strangerStreams: { count: 64, perMs: 10_000 },
    // Every protocol has a limit of its own for a connection; nobody needs all of them at once, and most have one connection.
    openStreams: 64,
    // A thousand lookups a second are three thousand frames. Each costs some 0.05 ms, whatever is in it.
    frames: { count: 20_000, perMs: 4_000 },
    // Each frame of data is answered with one: a registry that pushes to its replica gets some thousand a second.
    registryFrames: { count: 20_000, perMs: 1_000 },
    strangerFrames: { count: 1_000, perMs: 10_000 },
    // The window of a stream: nobody may send more at a time.
    frameBytes: 256 * KiB,
    // Two lines of at most 100 bytes, and three more where several versions are offered.
    negotiationBytes: 1 * KiB,
    unreadBytes: 4 * 1024 * KiB,
    // A hundred replicas that catch up at once over slow links; what libp2p and a registry need besides is twice as much again.
    waitingBytes: 32 * 1024 * KiB,
    // A member that lists, follows and asks on all its streams has some 2 MiB, and none for longer than it takes to read.
    waitingBytesOfPeer: 4 * 1024 * KiB,
    // Bytes are taken as they come, but for those that are verified first, some 700 KiB of a stream, and those that come faster than they may.
    arrivedBytes: 12 * 1024 * KiB,
    arrivedBytesOfPeer: 2 * 1024 * KiB,
    penaltyMs: 10_000
  },
  strangers: { young: 512, open: 32, ms: 30_000, unconfirmedMs: 3_600_000, waiting: 256, waitingMs: 3_600_000 },
  hello: {
    // Genesis, checkpoint and three entries of <= 4 KiB each, and delegations of about 300 bytes.
    frameBytes: 64 * KiB,
    deadlineMs: 3_000,
    streams: 2,
    // One per connection, one after admission, and some reconnects.
    rate: { count: 8, perMs: 10_000 },
    delegations: 128,
    settleMs: 3_000
  },
  register: {
    // A record (1 KiB), a join with its grant, 32 connected keys: all below 3 KiB.
    frameBytes: 4 * KiB,
    answerBytes: 64 * KiB,
    requestMs: 5_000,
    joinMs: 10_000,
    applyMs: 4_000,
    // The second is for a reconnect that comes before the old stream's end was seen.
    streams: 2,
    opens: { count: 4, perMs: 10_000 },
    // The second is for a newer seq after STALE.
    registers: { count: 2, perMs: 10_000 },
    heartbeats: { count: 2, perMs: 15_000 },
    puts: { count: 4, perMs: 10_000 },
    // Renew, forget, deregister; an integrated node's forwards.
    requests: { count: 8, perMs: 10_000 },
    registryRequests: { count: 50_000, perMs: 1_000 },
    strangerJoins: { count: 50, perMs: 1_000 },
    uninvitedJoins: { count: 25, perMs: 1_000 },
    uninvitedOfSite: { count: 12, perMs: 1_000 },
    failedProofs: { count: 1, perMs: 1_000 },
    // A session that does all that its peer may has some 40 in 10 s, pings and their answers among them.
    frames: { count: 256, perMs: 10_000 },
    inFlight: 512,
    samplePeers: 16,
    registries: 16,
    connected: 32,
    reasonChars: 128,
    pingMs: 1_000,
    pingMaxMs: 10_000,
    pingSessions: 100,
    pingMaxSessions: 1_000,
    pongMs: 1_500
  },
  sync: {
    // The digest alone is 32 KiB.
    requestBytes: 40 * KiB,
    frameBytes: 256 * KiB,
    streams: 2,
    rate: { count: 6, perMs: 60_000 },
    requestMs: 5_000,
    progressMs: 10_000,
    patienceMs: 30_000,
    // A slow link with other things to do. A snapshot of 100,000 members may take 40 min.
    paceBytes: 16 * KiB,
    // 100,000 records come within it.
    otherPaceBytes: 64 * KiB,
    otherMs: 600_000,
    silenceMs: 150_000,
    hints: 256,
    recordSubscribers: 200
  },
  lookup: {
    requestBytes: 2 * KiB,
    answerBytes: 256 * KiB,
    streams: 8,
    rate: { count: 100, perMs: 1_000 },
    // A listing of 10,000 rows is 20 pages of 500.
    questions: { count: 1_000, perMs: 1_000 },
    // The listing of 10,000 costs 15,000; going on with it without end, or with filters that match nobody, costs us a tenth of a core.
    cost: { count: 20_000, perMs: 2_000 },
    waitMs: 2_000,
    // The next is made while one is on its way. Whoever leaves these unread gets no others.
    answersOfPeer: 2,
    deadlineMs: 5_000,
    idleMs: 30_000,
    rows: 500,
    defaultRows: 100
  },
  probe: {
    requestBytes: 128,
    // Words about some hundred members; those of whom the worst was said come first.
    answerBytes: 256 * KiB,
    streams: 2,
    // A record has eight addresses, and whoever asks has them all dialled once or twice.
    rate: { count: 16, perMs: 60_000 },
    // The owner of an address that stands in many records sees no more dials than this.
    target: { count: 2, perMs: 60_000 },
    // Some nodes may share a machine; a machine that is none of them sees no more than this.
    targetHost: { count: 16, perMs: 60_000 },
    running: 16,
    runningOfPeer: 2,
    dialMs: 4_000,
    deadlineMs: 8_000
  },
  admin: {
    // A registry that is retired takes two entries of some hundred bytes, a join 512.
    requestBytes: 16 * KiB,
    answerBytes: 256 * KiB,
    streams: 2,
    // People type.
    rate: { count: 20, perMs: 10_000 },
    // The root counts what is brought as asked by this node: half is kept for itself.
    relayed: { count: 10, perMs: 10_000 },
    relayedOfPeer: { count: 5, perMs: 10_000 },
    deadlineMs: 10_000
  },
  blocks: {
    // 64 digests with their tags, network, trace.
    requestBytes: 4 * KiB,
    digests: 64,
    blockBytes: 1024 * KiB,
    // The digest, tags and lengths.
    answerBytes: 1024 * KiB + 128,
    // The second is for one that is opened before the end of the first was seen.
    streams: 2,
    rate: { count: 16, perMs: 10_000 },
    idleMs: 30_000,
    // KiB: 2 Gbit/s, about as much as a process can encrypt; set it lower where a link is to be spared.
    ofPeer: { count: 256 * KiB, perMs: 1_000 },
    ofAll: { count: 256 * KiB, perMs: 1_000 },
    // To look for an absent one costs as much as to send so much.
    leastKiB: 8,
    // One is read while the other is written. Whoever leaves these unread gets no others.
    untakenOfPeer: 2,
    // Each that was read in the same turn of the event loop is encrypted there: 0.5 ms for 256 KiB.
    reading: 16,
    // Two blocks, and the frame around each.
    writeBufferBytes: 3 * 1024 * KiB,
    // 35 KB/s for the largest block; over slower links stores use smaller ones.
    frameMs: 30_000,
    // 13 KB/s: each piece of 128 KiB shows that the other side reads, and it holds two blocks at most.
    stallMs: 10_000,
    silenceMs: 30_000,
    dialMs: 10_000,
    // Each may have a block half received, and all of them together less than may have arrived.
    sources: 10,
    window: 64,
    // 20 MB/s over 50 ms. What comes is checked at once, so little of it waits here.
    windowBytes: 1024 * KiB,
    lookAhead: 256,
    fetchBytes: 16 * 1024 * KiB,
    hedgeMs: 1_000,
    idleFetchMs: 5_000,
    restMs: 30_000,
    wrongMs: 3_600_000
  },
  forward: {
    // The name of a service, network, trace.
    requestBytes: 256,
    answerBytes: 64,
    // A page of a browser opens some dozens, a pool of a database a hundred.
    ofPeer: 256,
    // Each has two descriptors; a process has some thousand.
    ofAll: 1_024,
    // A script that opens a connection for each request. Whoever calls waits for its turn, and is refused nothing.
    rate: { count: 400, perMs: 2_000 },
    // They count among the open streams until they are answered.
    opening: 16,
    connectMs: 5_000,
    openMs: 15_000,
    // RFC 5382: no way between may forget a connection sooner.
    idleMs: 7_500_000,
    // 20 MB/s over 50 ms.
    windowBytes: 1024 * KiB,
    // A piece of each of its forwards that waits for its turn, and eight downloads that were paused.
    waitingBytesOfPeer: 24 * 1024 * KiB,
    waitingBytes: 64 * 1024 * KiB,
    // Each is a frame, and four fifths of what a member may send before its connection is closed.
    pieces: { count: 16_000, perMs: 4_000 },
    // One for each `ssh` of a tool that speaks with a hundred machines.
    commands: 128,
    ofListener: 256
  },
  relay: {
    // Circuit relay v2 allows no more.
    messageBytes: 4 * KiB,
    // A member that comes back and has lost the circuits to all that it talks with.
    rate: { count: 64, perMs: 60_000 },
    opening: 4,
    openMs: 5_000,
    // Each is a key and a time; the connection is there anyway.
    reservations: 2_048,
    // Renewed after half of it; without its connection it ends at once.
    reservationMs: 3_600_000,
    // Two windows of 256 KiB, and some pieces on their way out, wait at each at most.
    circuits: 512,
    // As many as that are streams of one connection, a quarter of those that a peer may have open.
    circuitsOfPeer: 16,
    // The muxers at the ends ping each other every 30 s.
    stillMs: 45_000,
    // All circuits of eight members whose other ends take nothing.
    waitingBytes: 64 * 1024 * KiB,
    // 32 Mbit/s: a relay is a way to talk, and no way to copy disks.
    ofPeer: { count: 16 * KiB, perMs: 4_000 },
    ofAll: { count: 64 * KiB, perMs: 4_000 },
    // Five pings of the muxers.
    idleMs: 150_000,
    circuitMs: 86_400_000,
    inbound: 64,
    // One may die while the record that names another is on its way.
    wanted: 2,
    // Another circuit is there in less than 5 s; one that was not needed costs a handshake.
    muteMs: 2_000,
    // A slow relay answers by then, and forwards on it go on.
    silentMs: 15_000,
    lookMs: 5_000,
    // Two pings of the monitor lie in them: a relay that was slow once stays.
    betterLooks: 6
  },
  announce: {
    // A record has at most 1 KiB, a checkpoint less.
    messageBytes: 2 * KiB,
    inboundBytes: 64 * KiB,
    subscriptions: 16,
    messages: 64,
    control: 64,
    // 20 bytes each: 44 KiB.
    ihaveIds: 2_000,
    // Records of at most 1 KiB in gossipsub's own signature: below 60 KiB.
    iwantIds: 40,
    // One per gossipsub version, and one that replaces it.
    streams: 2,
    // A frame of two bytes costs as much as one of a hundred.
    leastBytes: 128,
    // gossipsub verifies a signature for each message, before anything can be said of its author: some 150 a second. A failover of 1,000
    // members, all of which announce themselves, is 700 KiB in 5 s.
    inbound: { count: 512, perMs: 8_000 },
    outboundBytes: 1024 * KiB,
    // A record changes seldom, and heads are coalesced to one a second.
    author: { count: 20, perMs: 10_000 },
    authors: 16_384,
    verdictMs: 5_000,
    headMs: 1_000,
    // Each member tells its ids each second to whom it gossips with: ten thousand of them would fill a core.
    circle: 64,
    // Messages that are asked for come back in one frame, together with records of that size.
    topicBytes: 1 * KiB,
    // They share what is looked at of one peer with announcements.
    topicAuthor: { count: 100, perMs: 10_000 }
  },
  ping: {
    // Ours, and those of the DHT, on the same connection.
    streams: 4,
    // 32 bytes each: a hundred a second.
    inbound: { count: 8, perMs: 1_000 },
    leastBytes: 64
  },
  // Once for each connection, and at each change of what a peer speaks. Some send their signed addresses in a message of their own.
  identify: { frameBytes: 8 * KiB, messages: 2, opens: { count: 16, perMs: 10_000 } },
  // IPv6, TCP and the PeerId are 62 bytes.
  peers: { addresses: 8, protocols: 64, textBytes: 128, addressBytes: 128, envelopeBytes: 2 * KiB },
  kad: {
    // Twenty peers with eight addresses each, and a record: below 6 KiB.
    frameBytes: 8 * KiB,
    // A node that fills its table asks some dozens at once; each answer is looked up in a table of all members.
    inbound: { count: 64, perMs: 2_000 },
    leastBytes: 1 * KiB,
    valueBytes: 1 * KiB,
    queryMs: 10_000,
    streams: 32,
    values: 20_000,
    answers: 3,
    republishMs: 12 * 3_600_000,
    unheldMs: 60_000
  }
}

/** Single limits of single sections; what is left out keeps its default. */
export type LimitOverrides = { [Section in keyof ProtocolLimits]?: Partial<ProtocolLimits[Section]> }

export function limitsWith(overrides: LimitOverrides = {}): ProtocolLimits {
  const changed = new Map<string, object | undefined>(Object.entries(overrides))
  const sections = Object.entries(defaultLimits).map(([name, values]) => [name, { ...values, ...changed.get(name) }])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the sections of the defaults, each with the changes of its own
  return Object.freeze(Object.fromEntries(sections)) as ProtocolLimits
}
