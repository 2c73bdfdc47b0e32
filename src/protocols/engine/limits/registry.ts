const KiB = 1024

/** Limits of what members and registries say to each other. */
export const registryLimits = {
  hello: {
    /** Genesis, checkpoint and three entries of <= 4 KiB each, and delegations of about 300 bytes. */
    frameBytes: 64 * KiB,
    deadlineMs: 3_000,
    streams: 2,
    /** One per connection, one after admission, and some reconnects. */
    rate: { count: 8, perMs: 10_000 },
    /** Delegate and authority entries: one per recovery or key ceremony in the network's life. */
    delegations: 128,
    /** Time for which a stream of another protocol waits for the verdict on its connection. */
    settleMs: 3_000
  },
  register: {
    /** A record (1 KiB), a join with its grant, 32 connected keys: all below 3 KiB. */
    frameBytes: 4 * KiB,
    /** Answers carry a sample of peers and the registries. */
    answerBytes: 64 * KiB,
    requestMs: 5_000,
    /** A join may be forwarded to the root within it. */
    joinMs: 10_000,
    /** From the root's word to the entry in this registry's replica. */
    applyMs: 4_000,
    /** The second is for a reconnect that comes before the old stream's end was seen. */
    streams: 2,
    opens: { count: 4, perMs: 10_000 },
    /** The second is for a newer seq after STALE. */
    registers: { count: 2, perMs: 10_000 },
    heartbeats: { count: 2, perMs: 15_000 },
    puts: { count: 4, perMs: 10_000 },
    /** Renew, forget, deregister; an integrated node's forwards. */
    requests: { count: 8, perMs: 10_000 },
    /** Requests of all kinds from a root or secondary: it forwards for its members. */
    registryRequests: { count: 50_000, perMs: 1_000 },
    strangerJoins: { count: 50, perMs: 1_000 },
    /** Joins without an invite among these: anybody can make keys for those. */
    uninvitedJoins: { count: 25, perMs: 1_000 },
    /** Joins without an invite from one /48. */
    uninvitedOfSite: { count: 12, perMs: 1_000 },
    /** Per /64. */
    failedProofs: { count: 1, perMs: 1_000 },
    /**
     * Frames of one session, whatever is in them; registries have `registryRequests`. A session that does all that its peer may has some 40
     * in 10 s, pings and their answers among them.
     */
    frames: { count: 256, perMs: 10_000 },
    inFlight: 512,
    samplePeers: 16,
    registries: 16,
    connected: 32,
    reasonChars: 128,
    pingMs: 1_000,
    pingMaxMs: 10_000,
    /** Up to `pingSessions` sessions each is pinged every `pingMs`, from `pingMaxSessions` on every `pingMaxMs`. */
    pingSessions: 100,
    pingMaxSessions: 1_000,
    pongMs: 1_500
  },
  sync: {
    /** The digest alone is 32 KiB. */
    requestBytes: 40 * KiB,
    frameBytes: 256 * KiB,
    streams: 2,
    rate: { count: 6, perMs: 60_000 },
    requestMs: 5_000,
    /** Without a frame while catching up, the sync has failed. */
    progressMs: 10_000,
    /** Waiting for the other side, all in all, before what has moved counts. */
    patienceMs: 30_000,
    /**
     * Bytes of new entries, or of an answer that is read, which buy another second of it. A slow link with other things to do. A snapshot
     * of 100,000 members may take 40 min.
     */
    paceBytes: 16 * KiB,
    /** The same for what may be sent without end, and what that buys at most. 100,000 records come within it. */
    otherPaceBytes: 64 * KiB,
    otherMs: 600_000,
    /** Without a frame that says something afterwards: a registry sends a checkpoint each minute. */
    silenceMs: 150_000,
    /** Hints of one frame. */
    hints: 256,
    recordSubscribers: 200
  },
  lookup: {
    requestBytes: 2 * KiB,
    answerBytes: 256 * KiB,
    streams: 8,
    /** Streams, and questions on all of them together. */
    rate: { count: 100, perMs: 1_000 },
    /** A listing of 10,000 rows is 20 pages of 500. */
    questions: { count: 1_000, perMs: 1_000 },
    /**
     * Cost of the questions of one peer: members that are looked at, and KiB of answers. What costs more is answered later. The listing of
     * 10,000 costs 15,000; going on with it without end, or with filters that match nobody, costs us a tenth of a core.
     */
    cost: { count: 20_000, perMs: 2_000 },
    /** An answer that would have to wait longer is refused. */
    waitMs: 2_000,
    /**
     * Answers of one peer that are made at a time and that it has not taken. The next is made while one is on its way. Whoever leaves these
     * unread gets no others.
     */
    answersOfPeer: 2,
    /** Deadline of one question. */
    deadlineMs: 5_000,
    /** Without a question the stream is closed. */
    idleMs: 30_000,
    rows: 500,
    defaultRows: 100
  },
  probe: {
    requestBytes: 128,
    /** Words about some hundred members; those of whom the worst was said come first. */
    answerBytes: 256 * KiB,
    streams: 2,
    /** A record has eight addresses, and whoever asks has them all dialled once or twice. */
    rate: { count: 16, perMs: 60_000 },
    /** Dials to one address, whoever asks. The owner of an address that stands in many records sees no more dials than this. */
    target: { count: 2, perMs: 60_000 },
    /** Dials to one host, whatever the port. Some nodes may share a machine; a machine that is none of them sees no more than this. */
    targetHost: { count: 16, perMs: 60_000 },
    /** Dials at a time, and of them for one peer: an address that answers nothing holds its place until the end. */
    running: 16,
    runningOfPeer: 2,
    dialMs: 4_000,
    deadlineMs: 8_000
  },
  admin: {
    /** A registry that is retired takes two entries of some hundred bytes, a join 512. */
    requestBytes: 16 * KiB,
    answerBytes: 256 * KiB,
    streams: 2,
    /** People type. */
    rate: { count: 20, perMs: 10_000 },
    /**
     * Requests that members bring here for the root, all together, and those of one. The root counts what is brought as asked by this node:
     * half is kept for itself.
     */
    relayed: { count: 10, perMs: 10_000 },
    relayedOfPeer: { count: 5, perMs: 10_000 },
    deadlineMs: 10_000
  }
}
