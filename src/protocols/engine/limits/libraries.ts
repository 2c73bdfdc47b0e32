const KiB = 1024

/** Limits of protocols that libp2p brings. */
export const libraryLimits = {
  announce: {
    /**
     * Greatest message that we publish; below what receivers accept, since an oversize message ends gossip on its connection. A record has
     * at most 1 KiB, a checkpoint less.
     */
    messageBytes: 2 * KiB,
    inboundBytes: 64 * KiB,
    /** Topics, messages and control messages of one frame. */
    subscriptions: 16,
    messages: 64,
    control: 64,
    /** Message ids of one control message: told as had, and asked for. What is asked for comes back in one frame. 20 bytes each: 44 KiB. */
    ihaveIds: 2_000,
    /** Records of at most 1 KiB in gossipsub's own signature: below 60 KiB. */
    iwantIds: 40,
    /** One per gossipsub version, and one that replaces it. */
    streams: 2,
    /** Least bytes that a frame counts. A frame of two bytes costs as much as one of a hundred. */
    leastBytes: 128,
    /**
     * KiB that are looked at of one peer; the rest waits on its side. gossipsub verifies a signature for each message, before anything can
     * be said of its author: some 150 a second. A failover of 1,000 members, all of which announce themselves, is 700 KiB in 5 s.
     */
    inbound: { count: 512, perMs: 8_000 },
    /** Unsent bytes of one peer; beyond it its gossip stream is cut. */
    outboundBytes: 1024 * KiB,
    /** Announcements of one member that are verified. A record changes seldom, and heads are coalesced to one a second. */
    author: { count: 20, perMs: 10_000 },
    authors: 16_384,
    /** A verdict that takes longer counts as none, so that gossip does not queue up behind a stuck store. */
    verdictMs: 5_000,
    /** Heads are announced no more often. */
    headMs: 1_000,
    /**
     * Members that a root or secondary gossips with, other registries not counted. Each member tells its ids each second to whom it gossips
     * with: ten thousand of them would fill a core.
     */
    circle: 64,
    /** Greatest message on a topic of a program. Messages that are asked for come back in one frame, together with records of that size. */
    topicBytes: 1 * KiB,
    /**
     * Messages of one member on the topics of its program; the member itself sends half as many, as clocks and ways differ. They share what
     * is looked at of one peer with announcements.
     */
    topicAuthor: { count: 100, perMs: 10_000 }
  },
  /** Limits of libp2p's ping, which answers whatever comes. */
  ping: {
    /** Ours, and those of the DHT, on the same connection. */
    streams: 4,
    /** KiB of one peer; the rest waits on its side. 32 bytes each: a hundred a second. */
    inbound: { count: 8, perMs: 1_000 },
    /** Least bytes that a ping counts. */
    leastBytes: 64
  },
  /**
   * Limits of libp2p's identify, in which others say what they speak and where they are. Once for each connection, and at each change of
   * what a peer speaks. Some send their signed addresses in a message of their own.
   */
  identify: {
    frameBytes: 8 * KiB,
    /** Messages of a stream, also of one that was opened here. */
    messages: 2,
    /** Streams of one peer, asking and pushing apart. */
    opens: { count: 16, perMs: 10_000 }
  },
  /** Limits of what libp2p remembers of one peer, whoever told it. IPv6, TCP and the PeerId are 62 bytes. */
  peers: {
    addresses: 8,
    protocols: 64,
    /** Greatest length of a protocol's name, and of each text that a peer says about itself. */
    textBytes: 128,
    /** Greatest size of an address. */
    addressBytes: 128,
    /** Greatest size of its addresses as it signed them for identify. */
    envelopeBytes: 2 * KiB
  },
  kad: {
    /** Greatest size of a query and of an answer. Twenty peers with eight addresses each, and a record: below 6 KiB. */
    frameBytes: 8 * KiB,
    /**
     * KiB of one peer; the rest waits on its side. A node that fills its table asks some dozens at once; each answer is looked up in a
     * table of all members.
     */
    inbound: { count: 64, perMs: 2_000 },
    /** Least bytes that a query counts. */
    leastBytes: 1 * KiB,
    valueBytes: 1 * KiB,
    queryMs: 10_000,
    streams: 32,
    /** Values that a server holds; there is one key per member. */
    values: 20_000,
    /** Agreeing answers after which a query ends. */
    answers: 3,
    /** Servers forget a value after 48 h. */
    republishMs: 12 * 3_600_000,
    /** Time to the next try of a put that no server took: a node that starts knows none yet. */
    unheldMs: 60_000
  }
}
