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
  'inbound'
] as const

export const phases = ['bootstrap', 'trusted', 'federated', 'autonomous'] as const

/** healthy: nothing is missing that this network can give. pending: waits for the operator or the root. isolated: no registry answers. */
export const statusWords = ['starting', 'pending', 'healthy', 'degraded', 'isolated', 'refused', 'stopping'] as const
