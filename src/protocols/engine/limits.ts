import type { Rate } from './rate-limiter.ts'

const KiB = 1024

/** Every number that a remote can exhaust, with the reason of its size. Config overrides single ones: `limitsWith`. */
export interface ProtocolLimits {
  stream: {
    /** A frame that was begun is whole by then. */
    frameMs: number
    /** A reader that takes nothing for so long is cut: it holds our write buffer. */
    stallMs: number
    /** A stream that goes on moves at least once in this time. */
    progressMs: number
    /** After our close, the time the other side has for its own. */
    lingerMs: number
    /** Frames read ahead of their handler; beyond it the stream is paused. */
    readAheadBytes: number
    readAheadFrames: number
    /** Unsent bytes of one stream. */
    writeBufferBytes: number
    /** Streams of one peer and protocol that are refused for their rate, one by one; beyond it the connection is closed. */
    refused: Rate
    /** Streams of one peer, of all protocols, that end with an unfinished frame or a stalled reader; beyond it the peer is named. */
    slow: Rate
  }
  connection: {
    /** Streams that a member opens, on all its connections: more closes the connection, and the key is refused for `penaltyMs`. */
    streams: Rate
    /** The same of one that has proved no membership. */
    strangerStreams: Rate
    /** Frames of yamux: a ping counts as 20, one for a stream that is gone as 5, and one more for each KiB. */
    frames: Rate
    /** The same of a root or secondary. */
    registryFrames: Rate
    strangerFrames: Rate
    /** Longest data frame. */
    frameBytes: number
    /** Bytes of one stream until its protocol is agreed on. */
    negotiationBytes: number
    /** Answers to pings and resets that the other side has not read. */
    unreadBytes: number
    /** Bytes that came and were not taken, or were written and have not left, of all connections: beyond it whoever holds most is disconnected. */
    waitingBytes: number
    /** Of these, of one peer. */
    waitingBytesOfPeer: number
    penaltyMs: number
  }
  strangers: {
    /** Connections whose hello is still due: a whole network that comes back after an outage passes through here. */
    young: number
    /** Connections that showed no membership, all together: the rest of the connections is for members. */
    open: number
    ms: number
    /** A member by entries that this replica has not got after so long is asked for its proof anew. */
    unconfirmedMs: number
    /** Joiners with a verified join in the queue, who wait on their connection for the answer. */
    waiting: number
    waitingMs: number
  }
  hello: {
    frameBytes: number
    deadlineMs: number
    streams: number
    rate: Rate
    /** Delegate and authority entries: one per recovery or key ceremony in the network's life. */
    delegations: number
    /** Time for which a stream of another protocol waits for the verdict on its connection. */
    settleMs: number
  }
  register: {
    frameBytes: number
    /** Answers carry a sample of peers and the registries. */
    answerBytes: number
    requestMs: number
    /** A join may be forwarded to the root within it. */
    joinMs: number
    /** From the root's word to the entry in this registry's replica. */
    applyMs: number
    streams: number
    opens: Rate
    registers: Rate
    heartbeats: Rate
    puts: Rate
    requests: Rate
    /** Requests of all kinds from a root or secondary: it forwards for its members. */
    registryRequests: Rate
    strangerJoins: Rate
    /** Joins without an invite among these: anybody can make keys for those. */
    uninvitedJoins: Rate
    /** Joins without an invite from one /48. */
    uninvitedOfSite: Rate
    /** Per /64. */
    failedProofs: Rate
    /** Frames of one session, whatever is in them; registries have `registryRequests`. */
    frames: Rate
    inFlight: number
    samplePeers: number
    registries: number
    connected: number
    reasonChars: number
    pingMs: number
    pingMaxMs: number
    /** Up to `pingSessions` sessions each is pinged every `pingMs`, from `pingMaxSessions` on every `pingMaxMs`. */
    pingSessions: number
    pingMaxSessions: number
    pongMs: number
  }
  sync: {
    requestBytes: number
    frameBytes: number
    streams: number
    rate: Rate
    requestMs: number
    /** Without a frame while catching up, the sync has failed. */
    progressMs: number
    /** Waiting for the other side, all in all, before what has moved counts. */
    patienceMs: number
    /** Bytes of new entries, or of an answer that is read, which buy another second of it. */
    paceBytes: number
    /** The same for what may be sent without end, and what that buys at most. */
    otherPaceBytes: number
    otherMs: number
    /** Without a frame that says something afterwards: a registry sends a checkpoint each minute. */
    silenceMs: number
    /** Hints of one frame. */
    hints: number
    recordSubscribers: number
  }
  lookup: {
    requestBytes: number
    answerBytes: number
    streams: number
    /** Streams, and questions on all of them together. */
    rate: Rate
    questions: Rate
    /** Cost of the questions of one peer: members that are looked at, and KiB of answers. What costs more is answered later. */
    cost: Rate
    /** An answer that would have to wait longer is refused. */
    waitMs: number
    /** Deadline of one question. */
    deadlineMs: number
    /** Without a question the stream is closed. */
    idleMs: number
    rows: number
    defaultRows: number
  }
  probe: {
    requestBytes: number
    answerBytes: number
    streams: number
    rate: Rate
    /** Dials to one address, whoever asks. */
    target: Rate
    /** Dials to one host, whatever the port. */
    targetHost: Rate
    /** Dials at a time, and of them for one peer: an address that answers nothing holds its place until the end. */
    running: number
    runningOfPeer: number
    dialMs: number
    deadlineMs: number
  }
  announce: {
    /** Greatest message that we publish; below what receivers accept, since an oversize message ends gossip on its connection. */
    messageBytes: number
    inboundBytes: number
    /** Topics, messages and control messages of one frame. */
    subscriptions: number
    messages: number
    control: number
    /** Message ids of one control message: told as had, and asked for. What is asked for comes back in one frame. */
    ihaveIds: number
    iwantIds: number
    streams: number
    /** KiB that are looked at of one peer; the rest waits on its side. */
    inbound: Rate
    /** Least bytes that a frame counts. */
    leastBytes: number
    /** Unsent bytes of one peer; beyond it its gossip stream is cut. */
    outboundBytes: number
    /** Announcements of one member that are verified. */
    author: Rate
    authors: number
    /** A verdict that takes longer counts as none, so that gossip does not queue up behind a stuck store. */
    verdictMs: number
    /** Heads are announced no more often. */
    headMs: number
    /** Members that a root or secondary gossips with, other registries not counted. */
    circle: number
  }
  /** Limits of libp2p's ping, which answers whatever comes. */
  ping: {
    streams: number
    /** KiB of one peer; the rest waits on its side. */
    inbound: Rate
    /** Least bytes that a ping counts. */
    leastBytes: number
  }
  /** Limits of libp2p's identify, in which others say what they speak and where they are. */
  identify: {
    frameBytes: number
    /** Streams of one peer, asking and pushing apart. */
    opens: Rate
  }
  /** Limits of what libp2p remembers of one peer, whoever told it. */
  peers: {
    addresses: number
    protocols: number
    /** Greatest length of a protocol's name, and of each text that a peer says about itself. */
    textBytes: number
    /** Greatest size of its addresses as it signed them for identify. */
    envelopeBytes: number
  }
  kad: {
    /** Greatest size of a query and of an answer. */
    frameBytes: number
    /** KiB of one peer; the rest waits on its side. */
    inbound: Rate
    /** Least bytes that a query counts. */
    leastBytes: number
    valueBytes: number
    queryMs: number
    streams: number
    /** Values that a server holds; there is one key per member. */
    values: number
    /** Agreeing answers after which a query ends. */
    answers: number
    /** Servers forget a value after 48 h. */
    republishMs: number
  }
}

export const defaultLimits: ProtocolLimits = {
  stream: {
    frameMs: 3_000,
    stallMs: 3_000,
    progressMs: 30_000,
    lingerMs: 3_000,
    readAheadBytes: 256 * KiB,
    readAheadFrames: 512,
    // Four times the largest frame; yamux' own window is 256 KiB.
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
    // Two hundred replicas that catch up at once over slow links; what libp2p and a registry need besides is about as much again.
    waitingBytes: 48 * 1024 * KiB,
    // A member that lists, follows and asks on all its streams has some 4 MiB, and none for longer than it takes to read.
    waitingBytesOfPeer: 8 * 1024 * KiB,
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
    deadlineMs: 5_000,
    idleMs: 30_000,
    rows: 500,
    defaultRows: 100
  },
  probe: {
    requestBytes: 128,
    answerBytes: 64,
    streams: 2,
    // A record has eight addresses, and whoever asks has them all dialled once or twice.
    rate: { count: 16, perMs: 60_000 },
    // Of the clone of an address in many records the owner sees no more than this.
    target: { count: 2, perMs: 60_000 },
    // Some nodes may share a machine; a machine that is none of them sees no more than this.
    targetHost: { count: 16, perMs: 60_000 },
    running: 16,
    runningOfPeer: 2,
    dialMs: 4_000,
    deadlineMs: 8_000
  },
  announce: {
    // A record has at most 1 KiB, a checkpoint less.
    messageBytes: 2 * KiB,
    inboundBytes: 64 * KiB,
    subscriptions: 16,
    messages: 64,
    control: 64,
    // Of 20 bytes each: 44 KiB.
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
    circle: 64
  },
  ping: {
    // Ours, and those of the DHT, on the same connection.
    streams: 4,
    // 32 bytes each: a hundred a second.
    inbound: { count: 8, perMs: 1_000 },
    leastBytes: 64
  },
  // Once for each connection, and at each change of what a peer speaks.
  identify: { frameBytes: 8 * KiB, opens: { count: 16, perMs: 10_000 } },
  peers: { addresses: 8, protocols: 64, textBytes: 128, envelopeBytes: 2 * KiB },
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
    republishMs: 12 * 3_600_000
  }
}

/** Single limits of single sections; what is left out keeps its default. */
export type LimitOverrides = { [Section in keyof ProtocolLimits]?: Partial<ProtocolLimits[Section]> }

export function limitsWith(overrides: LimitOverrides = {}): ProtocolLimits {
  const changed: Readonly<Record<string, object | undefined>> = overrides
  const sections = Object.entries(defaultLimits).map(([name, values]) => [name, { ...values, ...changed[name] }])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the sections of the defaults, each with the changes of its own
  return Object.freeze(Object.fromEntries(sections)) as ProtocolLimits
}
