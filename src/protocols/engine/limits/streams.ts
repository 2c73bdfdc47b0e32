const KiB = 1024

/** Limits of streams and connections, whatever they carry, and of those that proved no membership yet. */
export const streamLimits = {
  stream: {
    /** A frame that was begun is whole by then. */
    frameMs: 3_000,
    /** A reader that takes nothing for so long is cut: it holds our write buffer. */
    stallMs: 3_000,
    /** A stream that goes on moves at least once in this time. */
    progressMs: 30_000,
    /** After our close, the time the other side has for its own. */
    lingerMs: 3_000,
    /** Frames read ahead of their handler; beyond it the stream is paused. */
    readAheadBytes: 256 * KiB,
    readAheadFrames: 512,
    /**
     * Unsent bytes of one stream. Four times the largest frame, but for blocks, which have limits of their own; yamux' own window is 256
     * KiB.
     */
    writeBufferBytes: 1024 * KiB,
    /**
     * Streams of one peer and protocol that are refused for their rate, one by one; beyond it the connection is closed. A program that asks
     * too fast is told so; one that does nothing else costs a tenth of a core.
     */
    refused: { count: 1_000, perMs: 10_000 },
    /**
     * Streams of one peer, of all protocols, that end with an unfinished frame or a stalled reader; beyond it the peer is named. A machine
     * that sleeps or loses its network breaks all its streams, and once.
     */
    slow: { count: 8, perMs: 60_000 }
  },
  connection: {
    /**
     * Streams that a member opens, on all its connections: more closes the connection, and the key is refused for `penaltyMs`. A stream
     * costs some 0.2 ms before anybody has said what it is for: a fifth of a core for whoever wants nothing else.
     */
    streams: { count: 1_000, perMs: 1_000 },
    /** The same of one that has proved no membership. Hello, identify, register, and what a member opens while its proof is on the way. */
    strangerStreams: { count: 64, perMs: 10_000 },
    /**
     * Streams that one peer has open, on all its connections: one more is reset. Every protocol has a limit of its own for a connection;
     * nobody needs all of them at once, and most have one connection.
     */
    openStreams: 64,
    /**
     * Frames of yamux, and those of Noise that carry nothing: a ping counts as 20, one for a stream that is gone as 5, and one more for
     * each KiB. A thousand lookups a second are three thousand frames. Each costs some 0.05 ms, whatever is in it.
     */
    frames: { count: 20_000, perMs: 4_000 },
    /**
     * The same of a root or secondary. Each frame of data is answered with one: a registry that pushes to its replica gets some thousand a
     * second.
     */
    registryFrames: { count: 20_000, perMs: 1_000 },
    strangerFrames: { count: 1_000, perMs: 10_000 },
    /** Longest data frame. The window of a stream: nobody may send more at a time. */
    frameBytes: 256 * KiB,
    /**
     * Bytes of one stream until its protocol is agreed on. Two lines of at most 100 bytes, and three more where several versions are
     * offered.
     */
    negotiationBytes: 1 * KiB,
    /** Answers to pings and resets that the other side has not read. */
    unreadBytes: 4 * 1024 * KiB,
    /**
     * Bytes that came and were not taken, or were written and have not left, of all connections: beyond it whoever holds most is
     * disconnected. A hundred replicas that catch up at once over slow links; what libp2p and a registry need besides is twice as much
     * again.
     */
    waitingBytes: 32 * 1024 * KiB,
    /**
     * Waiting bytes of one peer. A member that lists, follows and asks on all its streams has some 2 MiB, and none for longer than it takes
     * to read.
     */
    waitingBytesOfPeer: 4 * 1024 * KiB,
    /**
     * The part of them that came and was not taken. Bytes are taken as they come, but for those that are verified first, some 700 KiB of a
     * stream, and those that come faster than they may.
     */
    arrivedBytes: 12 * 1024 * KiB,
    arrivedBytesOfPeer: 2 * 1024 * KiB,
    penaltyMs: 10_000
  },
  strangers: {
    /** Connections whose hello is still due: a whole network that comes back after an outage passes through here. */
    young: 512,
    /** Connections that showed no membership, all together: the rest of the connections is for members. */
    open: 32,
    ms: 30_000,
    /** A member by entries that this replica has not got after so long is asked for its proof anew. */
    unconfirmedMs: 3_600_000,
    /** Joiners with a verified join in the queue, who wait on their connection for the answer. */
    waiting: 256,
    waitingMs: 3_600_000
  }
}
