import type {
  CheckpointView,
  PolicyCallView,
  PolicyPreview,
  PolicyView,
  WitnessLinesView
} from '../../../src/node/api/control-api.ts'
import { defaultPolicy } from '../../../src/registry/objects/policy/policy.ts'
import { peerIds } from './control-views.ts'

export const policyView: PolicyView = {
  entry: 0,
  policy: { ...defaultPolicy, criticalKinds: [], twoOperators: [], rules: [], tests: [], witnessKeys: [] }
}

export const witnessLinesView: WitnessLinesView = {
  epoch: 0,
  n: 7,
  witnesses: ['12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1aaaa'],
  by: 2,
  needed: 2
}

export const checkpointView: CheckpointView = {
  network: `tn${'a'.repeat(52)}`,
  epoch: 0,
  n: 12,
  headHash: '00'.repeat(32),
  stateRoot: '11'.repeat(32),
  rows: 13,
  bytes: 4096,
  timeMs: 1_767_225_600_000,
  logKey: peerIds[0],
  envelope: 'AA==',
  note: 'trustnet/tn\n13\nAA==\n\n\u2014 trustnet/tn AA==\n',
  verifierKey: 'trustnet/tn+00000000+AA==',
  witnesses: []
}

const web = { groups: ['web'], members: 2, names: ['hal', 'web-2'] }

export const policyPreview: PolicyPreview = {
  entry: 0,
  values: [{ key: 'membershipMs', before: 1000, after: 2000 }],
  calls: [{ from: web, to: { groups: [], members: 1, names: ['root'] }, service: '*', allowed: false }],
  moreCalls: 0,
  refusal: null,
  lockOut: null
}

export const policyCall: PolicyCallView = {
  from: { peerId: peerIds[1], name: 'hal' },
  to: { peerId: peerIds[0], name: 'root' },
  service: 'ssh',
  allowed: true,
  rule: { from: 'web', to: '*', service: 'ssh' }
}
