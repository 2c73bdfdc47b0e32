import { createHash } from 'node:crypto'
import { type GossipsubOpts, type Message, StrictSign } from '@libp2p/gossipsub'
import { networkIdText } from '../../identity/network-id.ts'
import { defaultLimits, type ProtocolLimits } from '../engine/limits.ts'

/** 160 bits: ids fill most of a gossip control frame. */
const messageIdBytes = 20

/** Topic of the programs in this network, by their own name for it. */
export const appTopic = (networkId: Uint8Array, name: string): string =>
  `/trustnet/${networkIdText(networkId)}/app/${name}`

export const announceTopic = (networkId: Uint8Array): string => `/trustnet/${networkIdText(networkId)}/announce/1`

/** The same envelope has the same id, whoever publishes it: several registries that learn a head together send it once. */
const messageId = (data: Uint8Array): Uint8Array =>
  createHash('sha256').update(data).digest().subarray(0, messageIdBytes)

/** A program may say the same twice, and so may two members. */
const appMessageId = (message: Message): Uint8Array => {
  const said = createHash('sha256').update(message.topic).update('\0').update(message.data)
  if (message.type === 'signed') said.update(message.from.toMultihash().bytes).update(String(message.sequenceNumber))
  return said.digest().subarray(0, messageIdBytes)
}

/** Misbehaviour of a peer, not of the network: see docs/protocols/announce.md for what counts as invalid. */
const scoreParams = (topic: string): NonNullable<GossipsubOpts['scoreParams']> => ({
  // Many members on one machine or behind one prefix are the normal case here: −5·(n−10)² would silence them.
  IPColocationFactorWeight: 0,
  // A frame that is refused for its size breaks a promise without malice.
  behaviourPenaltyThreshold: 6,
  topics: {
    [topic]: {
      topicWeight: 1,
      timeInMeshWeight: 0,
      timeInMeshQuantum: 1_000,
      timeInMeshCap: 3_600,
      firstMessageDeliveriesWeight: 0,
      firstMessageDeliveriesDecay: 0.5,
      firstMessageDeliveriesCap: 100,
      // Silence is no offence in a topic that may be silent for hours.
      meshMessageDeliveriesWeight: 0,
      meshMessageDeliveriesDecay: 0.5,
      meshMessageDeliveriesCap: 100,
      meshMessageDeliveriesThreshold: 20,
      meshMessageDeliveriesWindow: 10,
      meshMessageDeliveriesActivation: 5_000,
      meshFailurePenaltyWeight: 0,
      meshFailurePenaltyDecay: 0.5,
      // Five invalid messages (−100) are below the graylist threshold of −80; forgotten within some ten minutes.
      invalidMessageDeliveriesWeight: -4,
      invalidMessageDeliveriesDecay: 0.99
    }
  }
})

/** Options of the gossipsub service of a member, with the topics of its program. */
export function gossipOptions(
  networkId: Uint8Array,
  limits: ProtocolLimits['announce'] = defaultLimits.announce,
  topics: readonly string[] = []
): Partial<GossipsubOpts> {
  const topic = announceTopic(networkId)
  const apps = new Set(topics.map((name) => appTopic(networkId, name)))
  return {
    globalSignaturePolicy: StrictSign,
    msgIdFn: (message) => (apps.has(message.topic) ? appMessageId(message) : messageId(message.data)),
    allowedTopics: [topic, ...apps],
    fallbackToFloodsub: false,
    floodPublish: false,
    doPX: false,
    emitSelf: false,
    // The first member of a network announces to nobody, and that is no error.
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    maxInboundDataLength: limits.inboundBytes,
    maxOutboundBufferSize: limits.outboundBytes,
    maxInboundStreams: limits.streams,
    maxOutboundStreams: limits.streams,
    maxTopicBytesPerPeer: limits.subscriptions * 2_048,
    decodeRpcLimits: {
      maxSubscriptions: limits.subscriptions,
      maxMessages: limits.messages,
      maxControlMessages: limits.control,
      maxIhaveMessageIDs: limits.ihaveIds,
      maxIwantMessageIDs: limits.iwantIds,
      maxIdontwantMessageIDs: limits.ihaveIds,
      maxPeerInfos: 16
    },
    scoreParams: scoreParams(topic)
  }
}
