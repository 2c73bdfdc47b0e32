const KiB = 1024

/** Limits of content, of forwards and of relays, the protocols that carry much; and of what is heard on links. */
export const contentLimits = {
  blocks: {
    /** 64 digests with their tags, network, trace. */
    requestBytes: 4 * KiB,
    /** Digests of one request. */
    digests: 64,
    /** Greatest block. */
    blockBytes: 1024 * KiB,
    /** The digest, tags and lengths. */
    answerBytes: 1024 * KiB + 128,
    /** The second is for one that is opened before the end of the first was seen. */
    streams: 2,
    rate: { count: 16, perMs: 10_000 },
    /** Without a request the stream is closed. */
    idleMs: 30_000,
    /**
     * KiB that one peer is sent, and that all are; what is more is sent later. 2 Gbit/s, about as much as a process can encrypt; set
     * it lower where a link is to be spared.
     */
    ofPeer: { count: 256 * KiB, perMs: 1_000 },
    ofAll: { count: 256 * KiB, perMs: 1_000 },
    /** KiB that an answer counts at least. To look for an absent one costs as much as to send so much. */
    leastKiB: 8,
    /**
     * Blocks that were read for one peer and that it has not taken. One is read while the other is written. Whoever leaves these unread
     * gets no others.
     */
    untakenOfPeer: 2,
    /**
     * Blocks that are read at a time, for all. Each that was read in the same turn of the event loop is encrypted there: 0.5 ms for 256
     * KiB.
     */
    reading: 16,
    /** Two blocks, and the frame around each. */
    writeBufferBytes: 3 * 1024 * KiB,
    /** A block that was begun is whole by then. 35 KB/s for the largest block; over slower links stores use smaller ones. */
    frameMs: 30_000,
    /**
     * A reader that takes nothing for so long is cut. 13 KB/s: each piece of 128 KiB shows that the other side reads, and it holds two
     * blocks at most.
     */
    stallMs: 10_000,
    /** A source that is asked and sends no whole answer for so long is given up. */
    silenceMs: 30_000,
    dialMs: 10_000,
    /** Sources that are asked at a time. Each may have a block half received, and all of them together less than may have arrived. */
    sources: 10,
    /** Blocks on their way from one source. */
    window: 64,
    /**
     * Bytes that a source may send before it has to wait for an answer of the muxer. 20 MB/s over 50 ms. What comes is checked at once, so
     * little of it waits here.
     */
    windowBytes: 1024 * KiB,
    /** Wants of one fetch that are looked at ahead. */
    lookAhead: 256,
    /** Bytes of one fetch that are on their way or were not taken by its caller. */
    fetchBytes: 4 * 1024 * KiB,
    /** A block that is on its way for so long is asked of another source that has nothing else to send. */
    hedgeMs: 1_000,
    /** A fetch to which nobody gives anything for so long has ended. */
    idleFetchMs: 5_000,
    /** A source that could not be reached, or failed, is asked again after that. */
    restMs: 30_000,
    /** A source that answered wrongly is not asked for so long. */
    wrongMs: 3_600_000
  },
  forward: {
    /** The name of a service, network, trace. */
    requestBytes: 256,
    answerBytes: 64,
    /**
     * Forwards of one peer: those that it has here, and those that this node has there. A page of a browser opens some dozens, a pool of a
     * database a hundred.
     */
    ofPeer: 256,
    /** Forwards of all peers, both ways. Each has two descriptors; a process has some thousand. */
    ofAll: 1_024,
    /** A script that opens a connection for each request. Whoever calls waits for its turn, and is refused nothing. */
    rate: { count: 400, perMs: 2_000 },
    /**
     * Forwards to one peer that are being opened at a time; others wait for their turn. They count among the open streams until they are
     * answered.
     */
    opening: 16,
    /** The request has come by then, and the exposed address has answered. */
    connectMs: 5_000,
    /** Time for a member to be reached, and to answer. */
    openMs: 15_000,
    /** Nothing moves either way for so long: the forward is closed. RFC 5382: no way between may forget a connection sooner. */
    idleMs: 7_500_000,
    /** Bytes on the way to one end before it has to take some. 20 MB/s over 50 ms. */
    windowBytes: 1024 * KiB,
    /**
     * Bytes that came and were not taken, of the forwards of one peer and of all: the forward that holds most is reset. A piece of each of
     * its forwards that waits for its turn, and eight downloads that were paused.
     */
    waitingBytesOfPeer: 24 * 1024 * KiB,
    waitingBytes: 64 * 1024 * KiB,
    /**
     * Pieces that are sent to one peer; more wait, and grow while they do. Each is a frame, and four fifths of what a member may send
     * before its connection is closed.
     */
    pieces: { count: 16_000, perMs: 4_000 },
    /** Commands that hold a forward open. One for each `ssh` of a tool that speaks with a hundred machines. */
    commands: 128,
    /** Connections of one listener that are taken at a time. */
    ofListener: 256
  },
  /** Limits of a relay, and of a node that is reached through one. */
  relay: {
    /** Circuit relay v2 allows no more. */
    messageBytes: 4 * KiB,
    /** A member that comes back and has lost the circuits to all that it talks with. */
    rate: { count: 64, perMs: 60_000 },
    /** Streams of one peer that are being opened at a time. */
    opening: 4,
    /** A message has come by then, a circuit stands, and its handshake is over. */
    openMs: 5_000,
    /** Members that this relay brings circuits to. Each is a key and a time; the connection is there anyway. */
    reservations: 2_048,
    /** Renewed after half of it; without its connection it ends at once. */
    reservationMs: 3_600_000,
    /**
     * Circuits through this relay: of all, and of one member, at whichever end it is. Two windows of 256 KiB, and some pieces on their way
     * out, wait at each at most.
     */
    circuits: 512,
    /** As many as that are streams of one connection, a quarter of those that a peer may have open. */
    circuitsOfPeer: 16,
    /** A circuit on which nothing moved for so long gives way where all are taken. The muxers at the ends ping each other every 30 s. */
    stillMs: 45_000,
    /**
     * Bytes that came from one end and were not taken by the other, on all circuits. All circuits of eight members whose other ends take
     * nothing.
     */
    waitingBytes: 64 * 1024 * KiB,
    /**
     * KiB that one member sends through this relay, and that all do; the rest waits on its side. 32 Mbit/s: a relay is a way to talk, and
     * no way to copy disks.
     */
    ofPeer: { count: 16 * KiB, perMs: 4_000 },
    ofAll: { count: 64 * KiB, perMs: 4_000 },
    /** A circuit on which nothing moves for so long is closed. Five pings of the muxers. */
    idleMs: 150_000,
    circuitMs: 86_400_000,
    /** Connections through relays that others open to this node. */
    inbound: 64,
    /** Relays at which this node has itself reached. One may die while the record that names another is on its way. */
    wanted: 2,
    /**
     * A relay from which nothing comes for so long is gone around, and after the longer time its connection is closed. Another circuit is
     * there in less than 5 s; one that was not needed costs a handshake.
     */
    muteMs: 2_000,
    /** A slow relay answers by then, and forwards on it go on. */
    silentMs: 15_000,
    /** Time between two looks at the choice of relays. */
    lookMs: 5_000,
    /**
     * Looks in which another one has to answer in less than half the time before it takes the place of a relay. Two pings of the monitor
     * lie in them: a relay that was slow once stays.
     */
    betterLooks: 6
  },
  link: {
    /**
     * Packets with the tag of the network that are looked at: of one machine, and of all. A thousand members that answer one question take
     * five seconds.
     */
    ofPeer: { count: 20, perMs: 10_000 },
    ofAll: { count: 200, perMs: 1_000 },
    /** Answers and questions of this node: an asker waits, and a flood of questions makes no flood of answers. */
    answers: { count: 12, perMs: 60_000 },
    questions: { count: 6, perMs: 60_000 },
    /** Addresses that are kept. More than a link has members to begin with; whoever is reached names the others. */
    hints: 64,
    /** Those of one machine: nodes on it. */
    hintsOfPeer: 4,
    /**
     * Dials that what is heard causes, half of them at once: twelve in any minute, as anybody on a link can name any port of any machine
     * there; and those to one machine.
     */
    dials: { count: 4, perMs: 30_000 },
    dialsOfPeer: { count: 2, perMs: 60_000 }
  }
}
