import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import type { ControlApi } from '../../../src/node/api/control-api.ts'
import type { EntryContent } from '../../../src/registry/objects/entry.ts'
import { makeJoin } from '../../../src/registry/objects/join.ts'
import { actOf, idOfActs } from '../../../src/registry/objects/orders/act.ts'
import { defaultPolicy } from '../../../src/registry/objects/policy/policy.ts'

const [halKey, eveKey] = [SigningKey.generate(), SigningKey.generate()]
export const [hal, eve] = [halKey.publicKey, eveKey.publicKey]
const grant = {
  id: new Uint8Array(16).fill(1),
  inviteKey: hal,
  role: 'integrated',
  uses: 1,
  notAfterMs: Date.now() + 3_600_000,
  note: '',
  groups: []
} as const

export const revokeOf = (publicKey: Uint8Array): EntryContent => ({
  kind: 'revoke',
  body: { publicKey, name: 'hal', reason: 'stolen' }
})

/** The approval of a join. */
const approvalOf = (key: SigningKey, name: string): EntryContent => {
  const join = makeJoin({ networkId: new Uint8Array(32), key, name, role: 'integrated', timeMs: Date.now() })
  const { publicKey } = key
  return { kind: 'admit', body: { publicKey, name, role: 'integrated', notAfterMs: 0, via: 'approved', join } }
}

/** A command, and what is to be signed for it. */
export interface Draft {
  what: string
  ask: (api: ControlApi) => Promise<unknown>
  right: EntryContent
  wrong: EntryContent[]
}

/** Its acts are pinned by their id, however many they are. */
export const orderOfAnother: Draft = {
  what: 'order of another operator',
  ask: (api) => api.approveOrder({ id: idOfActs([actOf(revokeOf(hal))]) }),
  right: revokeOf(hal),
  wrong: [revokeOf(eve), { kind: 'operator', body: { publicKey: eve, name: 'eve', removed: false } }]
}

export const drafts: readonly Draft[] = [
  {
    what: 'revoke',
    ask: (api) => api.revoke({ peer: 'hal', reason: 'stolen' }),
    right: { kind: 'revoke', body: { publicKey: hal, name: 'hal', reason: 'stolen' } },
    wrong: [
      { kind: 'revoke', body: { publicKey: eve, name: 'ann', reason: 'stolen' } },
      { kind: 'revoke', body: { publicKey: hal, name: 'hal', reason: 'a lie' } },
      { kind: 'operator', body: { publicKey: eve, name: 'hal', removed: false } }
    ]
  },
  {
    what: 'revoke by key',
    ask: (api) => api.revoke({ peer: peerIdText(hal), reason: '' }),
    right: { kind: 'revoke', body: { publicKey: hal, name: 'hal', reason: '' } },
    wrong: [{ kind: 'revoke', body: { publicKey: eve, name: 'hal', reason: '' } }]
  },
  {
    what: 'approval of a join',
    ask: (api) => api.approve({ peer: 'hal' }),
    right: approvalOf(halKey, 'hal'),
    wrong: [approvalOf(eveKey, 'eve'), revokeOf(hal)]
  },
  {
    what: 'approval of a join, by key',
    ask: (api) => api.approve({ peer: peerIdText(hal) }),
    right: approvalOf(halKey, 'hal'),
    wrong: [approvalOf(eveKey, 'hal')]
  },
  {
    what: 'end of a membership',
    ask: (api) => api.endMember({ peer: peerIdText(hal), reason: 'done' }),
    right: { kind: 'end', body: { publicKey: hal, reason: 'done' } },
    wrong: [
      { kind: 'end', body: { publicKey: eve, reason: 'done' } },
      { kind: 'revoke', body: { publicKey: hal, name: 'hal', reason: 'done' } }
    ]
  },
  {
    what: 'another name',
    ask: (api) => api.changeMember({ peer: peerIdText(hal), name: 'dave' }),
    right: { kind: 'change', body: { publicKey: hal, name: 'dave', role: 'integrated', groups: [] } },
    wrong: [
      { kind: 'change', body: { publicKey: hal, name: 'eve', role: 'integrated', groups: [] } },
      { kind: 'change', body: { publicKey: hal, name: 'dave', role: 'secondary', groups: [] } },
      { kind: 'change', body: { publicKey: hal, name: 'dave', role: 'integrated', groups: ['admin'] } },
      { kind: 'change', body: { publicKey: eve, name: 'dave', role: 'integrated', groups: [] } }
    ]
  },
  {
    what: 'another name, by name',
    ask: (api) => api.changeMember({ peer: 'hal', name: 'dave' }),
    right: { kind: 'change', body: { publicKey: hal, name: 'dave', role: 'integrated', groups: [] } },
    wrong: [{ kind: 'change', body: { publicKey: eve, name: 'dave', role: 'integrated', groups: [] } }]
  },
  {
    what: 'another role',
    ask: (api) => api.changeMember({ peer: 'hal', role: 'external' }),
    right: { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'external', groups: [] } },
    wrong: [
      { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'secondary', groups: [] } },
      { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'external', groups: ['admin'] } }
    ]
  },
  {
    what: 'end of a membership, by name',
    ask: (api) => api.endMember({ peer: 'hal', reason: 'done' }),
    right: { kind: 'end', body: { publicKey: hal, reason: 'done' } },
    wrong: [{ kind: 'end', body: { publicKey: eve, reason: 'done' } }]
  },
  {
    what: 'groups',
    ask: (api) => api.changeMember({ peer: 'hal', groups: ['web', 'db'] }),
    right: { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'integrated', groups: ['db', 'web'] } },
    wrong: [
      { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'integrated', groups: ['admin', 'db', 'web'] } },
      { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'secondary', groups: ['db', 'web'] } }
    ]
  },
  {
    what: 'retire',
    ask: (api) => api.retireRegistry({ peer: peerIdText(hal) }),
    right: { kind: 'registrySet', body: { publicKey: hal, role: 'secondary', removed: true } },
    wrong: [
      { kind: 'registrySet', body: { publicKey: hal, role: 'secondary', removed: false } },
      { kind: 'registrySet', body: { publicKey: eve, role: 'secondary', removed: true } },
      { kind: 'change', body: { publicKey: hal, name: 'hal', role: 'secondary', groups: [] } }
    ]
  },
  {
    what: 'invite',
    ask: (api) => api.invite({}),
    right: { kind: 'grant', body: grant },
    wrong: [
      { kind: 'grant', body: { ...grant, role: 'secondary' } },
      { kind: 'grant', body: { ...grant, uses: 10_000 } },
      { kind: 'grant', body: { ...grant, notAfterMs: Date.now() + 31 * 86_400_000 } },
      { kind: 'grant', body: { ...grant, groups: ['admin'] } },
      { kind: 'grant', body: { ...grant, name: 'hal', replaces: 'hal' } }
    ]
  },
  {
    what: 'cancel of an invite',
    ask: (api) => api.cancelInvite({ id: '0101', reason: '' }),
    right: { kind: 'grantEnd', body: { id: grant.id, reason: '' } },
    wrong: [{ kind: 'grantEnd', body: { id: new Uint8Array(16).fill(2), reason: '' } }]
  },
  {
    what: 'policy',
    ask: (api) => api.setPolicy({ admission: 'approve' }),
    right: { kind: 'policy', body: { ...defaultPolicy, admission: 'approve' } },
    wrong: [{ kind: 'policy', body: { ...defaultPolicy, admission: 'open' } }]
  },
  {
    what: 'keys of witnesses',
    ask: (api) => api.setPolicy({ witnessKeys: [peerIdText(hal)] }),
    right: { kind: 'policy', body: { ...defaultPolicy, witnessKeys: [hal] } },
    wrong: [{ kind: 'policy', body: { ...defaultPolicy, witnessKeys: [eve] } }]
  },
  orderOfAnother,
  {
    what: 'end of a document',
    ask: (api) => api.retireDocument({ id: 'plan', reason: 'done' }),
    right: { kind: 'retire', body: { id: 'plan', reason: 'done' } },
    wrong: [
      { kind: 'retire', body: { id: 'other', reason: 'done' } },
      { kind: 'retire', body: { id: 'plan', reason: 'a lie' } },
      { kind: 'publisher', body: { publicKey: eve, removed: false } }
    ]
  },
  {
    what: 'a publisher',
    ask: (api) => api.allowPublisher({ publisher: 'hal' }),
    right: { kind: 'publisher', body: { publicKey: hal, removed: false } },
    wrong: [
      { kind: 'publisher', body: { publicKey: eve, removed: false } },
      { kind: 'publisher', body: { publicKey: hal, removed: true } }
    ]
  },
  {
    what: 'a publisher no more',
    ask: (api) => api.removePublisher({ publisher: 'hal' }),
    right: { kind: 'publisher', body: { publicKey: hal, removed: true } },
    wrong: [
      { kind: 'publisher', body: { publicKey: eve, removed: true } },
      { kind: 'publisher', body: { publicKey: hal, removed: false } }
    ]
  },
  {
    what: 'a new operator',
    ask: (api) => api.addOperator({ name: 'ann', keyId: peerIdText(hal) }),
    right: { kind: 'operator', body: { publicKey: hal, name: 'ann', removed: false } },
    wrong: [
      { kind: 'operator', body: { publicKey: eve, name: 'ann', removed: false } },
      { kind: 'operator', body: { publicKey: hal, name: 'ann', removed: true } }
    ]
  },
  {
    what: 'removal of an operator',
    ask: (api) => api.removeOperator({ name: 'ann' }),
    right: { kind: 'operator', body: { publicKey: hal, name: 'ann', removed: true } },
    wrong: [
      { kind: 'operator', body: { publicKey: hal, name: 'bob', removed: true } },
      { kind: 'operator', body: { publicKey: hal, name: 'ann', removed: false } }
    ]
  }
]
