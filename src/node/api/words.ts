// The words of answers, apart from their schemas: a command that only asks does not load what validates.

export const peerStates = ['online', 'late', 'suspect', 'offline', 'left', 'unknown'] as const

/** Ways in which a peer was learned. */
export const peerSources = [
  'self',
  'registry',
  'sync',
  'gossip',
  'dht',
  'cache',
  'invite',
  'config',
  'dns',
  'link',
  'inbound'
] as const

/** Types of what is remembered of members and of this node. */
export const happeningTypes = ['state', 'admitted', 'ended', 'alarm', 'phase'] as const

/** Reasons why a dial failed: nobody listens, no answer in time, no way there, somebody without the member's key. */
export const dialFailureWords = ['refused', 'noAnswer', 'noRoute', 'otherKey', 'other'] as const

/** States of an invite. */
export const inviteStates = ['open', 'over', 'used', 'cancelled'] as const

export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const

export const phases = ['bootstrap', 'trusted', 'federated', 'autonomous'] as const

/** healthy: nothing is missing that this network can give. pending: waits for the operator or the root. isolated: no registry answers. */
export const statusWords = ['starting', 'pending', 'healthy', 'degraded', 'isolated', 'refused', 'stopping'] as const

/** Kinds of entries that operators cause, with their numbers in the log. */
export const orderedKinds: Readonly<Record<string, number>> = {
  admit: 1,
  revoke: 3,
  'registry-set': 5,
  publisher: 8,
  retire: 10,
  policy: 11,
  grant: 12,
  'grant-end': 13,
  change: 14,
  end: 15,
  operator: 16
}
