import type {
  CompareView,
  LogDiffView,
  LogLevelView,
  Made,
  MatrixView,
  PastView,
  TimelineView,
  TopologyView
} from '../../../src/node/api/control-api.ts'
import { peerIds, root } from './control-views.ts'
import { policyView } from './policy-views.ts'

const hal = {
  peerId: peerIds[1],
  name: 'hal',
  role: 'integrated',
  groups: ['web'],
  expiresMs: 1_800_000_000_000,
  expired: false,
  entry: 7
} as const
const at = { n: 12, epoch: 0, timeMs: 1_800_000_000_000 }

export const pastView: PastView = {
  at,
  floor: 0,
  members: [{ ...hal, groups: ['web'] }],
  registries: [{ ...root, role: 'root' }],
  operators: [{ name: 'ann', keyId: root.peerId }],
  revoked: 1,
  policyEntry: 0,
  policy: policyView.policy
}

export const logDiffView: LogDiffView = {
  from: { ...at, n: 3 },
  to: at,
  entries: 9,
  missing: 2,
  added: [{ ...hal, groups: ['web'] }],
  removed: [],
  changed: [{ ...root, changes: [{ field: 'name', before: 'old', after: 'root' }] }],
  registries: [{ ...root, before: null, after: 'root' }],
  operators: [{ name: 'ann', keyId: root.peerId, added: true }],
  revoked: [{ peerId: peerIds[2], name: 'bad' }],
  policy: [{ field: 'admission', before: 'open', after: 'invite' }]
}

export const topologyView: TopologyView = {
  nodes: [
    { ...root, self: true, role: 'root', state: 'online', registry: null },
    { peerId: peerIds[1], name: 'hal', self: false, role: 'integrated', state: 'offline', registry: root },
    { peerId: peerIds[2], name: null, self: false, role: 'external', state: 'online', registry: root }
  ],
  links: [
    { from: peerIds[0], to: peerIds[1], saidBy: [peerIds[0], peerIds[1]], oneSided: false, rttUs: 1250 },
    { from: peerIds[0], to: peerIds[2], saidBy: [peerIds[2]], oneSided: true, rttUs: null }
  ]
}

const bad = { peerId: peerIds[2], name: null } as const
const halRef = { peerId: peerIds[1], name: 'hal' } as const
const refused = { failure: 'refused', ageMs: 180_000 } as const
const reached = { failure: null, ageMs: 60_000 } as const

export const matrixView: MatrixView = {
  total: 3,
  next: null,
  sources: [
    { registry: root, left: 0, error: null },
    { registry: halRef, left: 0, error: 'no answer in time' }
  ],
  members: [
    {
      ...root,
      role: 'root',
      state: 'online',
      reach: 'direct',
      addresses: [
        { address: '/ip6/2001:db8::1/tcp/8000', words: [{ prober: halRef, registry: root, ...reached, tookMs: 12 }] }
      ]
    },
    {
      ...halRef,
      role: 'integrated',
      state: 'online',
      reach: 'direct',
      addresses: [
        {
          address: '/ip6/2001:db8::2/tcp/9000',
          words: [
            { prober: root, registry: root, ...refused, tookMs: 1 },
            { prober: bad, registry: root, ...reached, tookMs: 3 }
          ]
        }
      ]
    },
    { ...bad, role: 'external', state: 'online', reach: 'unknown', addresses: [] }
  ],
  pairs: [
    { from: halRef, to: root, reaches: true, says: halRef, ...reached, oneWay: true },
    { from: root, to: halRef, reaches: false, says: root, ...refused, oneWay: true },
    { from: bad, to: halRef, reaches: true, says: bad, ...reached, oneWay: false },
    { from: halRef, to: bad, reaches: null, says: halRef, failure: null, ageMs: 5000, oneWay: false }
  ]
}

const seen = { member: true, role: 'integrated', addresses: ['/ip6/2001:db8::2/tcp/9000'] } as const

export const compareView: CompareView = {
  sources: [
    { ...root, self: false, members: 3, ageMs: 2_000, error: null },
    { peerId: peerIds[2], name: 'far', self: false, members: null, ageMs: null, error: 'no answer in time' },
    { ...halRef, self: true, members: 2, ageMs: 5_000, error: null }
  ],
  compared: 3,
  rows: [
    {
      ...halRef,
      differs: ['state', 'record'],
      sides: [
        { source: root, ...seen, addresses: [...seen.addresses], state: 'suspect', seenAgeMs: 12_000, seq: 4 },
        { source: halRef, ...seen, addresses: [...seen.addresses], state: 'online', seenAgeMs: 0, seq: 5 }
      ]
    },
    {
      ...bad,
      differs: ['member'],
      sides: [
        { source: root, ...seen, addresses: [], state: 'online', seenAgeMs: 1_000, seq: null },
        { source: halRef, member: false, role: null, state: null, seenAgeMs: null, seq: null, addresses: [] }
      ]
    }
  ]
}

export const timelineView: TimelineView = {
  fromMs: 0,
  slotMs: 3_600_000,
  members: [{ ...root, up: [null, 0, 50, 100] }]
}

export const logLevelView: LogLevelView = {
  level: 'info',
  services: [{ name: 'gossipsub', level: 'debug' }],
  message: 'logs'
}

/** Answer to the nth ping. */
export const pingAnswer = (n: number, lost: readonly number[]): Made<'ping'> => {
  const way = { address: '/ip6/2001:db8::5/tcp/9000', direction: 'out', relay: null } as const
  const isLost = lost.includes(n)
  const one = isLost ? { received: 0, pings: [{ rttUs: null }] } : { received: 1, pings: [{ rttUs: 1000 * n }] }
  return { ...root, ...way, sent: 1, ...one, lastError: isLost ? 'no answer within 5 s' : null }
}
