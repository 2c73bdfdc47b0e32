import type { Rate } from './rate-limiter.ts'

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
    /** Streams that one peer has open, on all its connections: one more is reset. */
    openStreams: number
    /** Frames of yamux, and those of Noise that carry nothing: a ping counts as 20, one for a stream that is gone as 5, and one more for each KiB. */
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
    /** Waiting bytes of one peer. */
    waitingBytesOfPeer: number
    /** The part of them that came and was not taken. */
    arrivedBytes: number
    arrivedBytesOfPeer: number
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
    /** Answers of one peer that are made at a time and that it has not taken. */
    answersOfPeer: number
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
  admin: {
    requestBytes: number
    answerBytes: number
    streams: number
    rate: Rate
    /** Requests that members bring here for the root, all together, and those of one. */
    relayed: Rate
    relayedOfPeer: Rate
    deadlineMs: number
  }
  blocks: {
    requestBytes: number
    /** Digests of one request. */
    digests: number
    /** Greatest block. */
    blockBytes: number
    answerBytes: number
    streams: number
    rate: Rate
    /** Without a request the stream is closed. */
    idleMs: number
    /** KiB that one peer is sent, and that all are; what is more is sent later. */
    ofPeer: Rate
    ofAll: Rate
    /** KiB that an answer counts at least. */
    leastKiB: number
    /** Blocks that were read for one peer and that it has not taken. */
    untakenOfPeer: number
    /** Blocks that are read at a time, for all. */
    reading: number
    writeBufferBytes: number
    /** A block that was begun is whole by then. */
    frameMs: number
    /** A reader that takes nothing for so long is cut. */
    stallMs: number
    /** A source that is asked and sends no whole answer for so long is given up. */
    silenceMs: number
    dialMs: number
    /** Sources that are asked at a time. */
    sources: number
    /** Blocks on their way from one source. */
    window: number
    /** Bytes that a source may send before it has to wait for an answer of the muxer. */
    windowBytes: number
    /** Wants of one fetch that are looked at ahead. */
    lookAhead: number
    /** Bytes of one fetch that are on their way or were not taken by its caller. */
    fetchBytes: number
    /** A block that is on its way for so long is asked of another source that has nothing else to send. */
    hedgeMs: number
    /** A fetch to which nobody gives anything for so long has ended. */
    idleFetchMs: number
    /** A source that could not be reached, or failed, is asked again after that. */
    restMs: number
    /** A source that answered wrongly is not asked for so long. */
    wrongMs: number
  }
  forward: {
    requestBytes: number
    answerBytes: number
    /** Forwards of one peer: those that it has here, and those that this node has there. */
    ofPeer: number
    /** Forwards of all peers, both ways. */
    ofAll: number
    rate: Rate
    /** Forwards to one peer that are being opened at a time; others wait for their turn. */
    opening: number
    /** The request has come by then, and the exposed address has answered. */
    connectMs: number
    /** Time for a member to be reached, and to answer. */
    openMs: number
    /** Nothing moves either way for so long: the forward is closed. */
    idleMs: number
    /** Bytes on the way to one end before it has to take some. */
    windowBytes: number
    /** Bytes that came and were not taken, of the forwards of one peer and of all: the forward that holds most is reset. */
    waitingBytesOfPeer: number
    waitingBytes: number
    /** Pieces that are sent to one peer; more wait, and grow while they do. */
    pieces: Rate
    /** Commands that hold a forward open. */
    commands: number
    /** Connections of one listener that are taken at a time. */
    ofListener: number
  }
  /** Limits of a relay, and of a node that is reached through one. */
  relay: {
    messageBytes: number
    rate: Rate
    /** Streams of one peer that are being opened at a time. */
    opening: number
    /** A message has come by then, a circuit stands, and its handshake is over. */
    openMs: number
    /** Members that this relay brings circuits to. */
    reservations: number
    reservationMs: number
    /** Circuits through this relay: of all, and of one member, at whichever end it is. */
    circuits: number
    circuitsOfPeer: number
    /** A circuit on which nothing moved for so long gives way where all are taken. */
    stillMs: number
    /** Bytes that came from one end and were not taken by the other, on all circuits. */
    waitingBytes: number
    /** KiB that one member sends through this relay, and that all do; the rest waits on its side. */
    ofPeer: Rate
    ofAll: Rate
    /** A circuit on which nothing moves for so long is closed. */
    idleMs: number
    circuitMs: number
    /** Connections through relays that others open to this node. */
    inbound: number
    /** Relays at which this node has itself reached. */
    wanted: number
    /** A relay from which nothing comes for so long is gone around, and after the longer time its connection is closed. */
    muteMs: number
    silentMs: number
    /** Time between two looks at the choice of relays. */
    lookMs: number
    /** Looks in which another one has to answer in less than half the time before it takes the place of a relay. */
    betterLooks: number
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
    /** Greatest message on a topic of a program. */
    topicBytes: number
    /** Messages of one member on the topics of its program; the member itself sends half as many, as clocks and ways differ. */
    topicAuthor: Rate
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
    /** Messages of a stream, also of one that was opened here. */
    messages: number
    /** Streams of one peer, asking and pushing apart. */
    opens: Rate
  }
  /** Limits of what libp2p remembers of one peer, whoever told it. */
  peers: {
    addresses: number
    protocols: number
    /** Greatest length of a protocol's name, and of each text that a peer says about itself. */
    textBytes: number
    /** Greatest size of an address. */
    addressBytes: number
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
    /** Time to the next try of a put that no server took: a node that starts knows none yet. */
    unheldMs: number
  }
}
