import { expect, test } from 'vitest'
import { peerIdText, SigningKey } from '../../../../src/identity/keys.ts'
import { entryDetail } from '../../../../src/node/views/log-view.ts'
import type { EntryContent, LogEntry } from '../../../../src/registry/objects/entry.ts'
import { newGrantId } from '../../../../src/registry/objects/grant.ts'
import { defaultPolicy } from '../../../../src/registry/objects/policy/policy.ts'

const key = SigningKey.generate()
const { publicKey } = key
const hash = new Uint8Array(32)
const until = Date.UTC(2027, 0, 1)
const id = newGrantId()
const idText = Buffer.from(id).toString('hex').slice(0, 12)
const grant = { id, inviteKey: publicKey, role: 'secondary', groups: [], uses: 1, notAfterMs: until, note: '' } as const
const zeros = '000000000000'

const entry = (content: EntryContent): LogEntry => ({
  networkId: hash,
  n: 3,
  prevHash: hash,
  epoch: 2,
  timeMs: 0,
  ...content
})

const admit = { publicKey, name: 'hal', notAfterMs: until, role: 'secondary', join: hash } as const

test.each<[string, EntryContent]>([
  [
    `secondary, until 2027-01-01 00:00 UTC, by invite ${idText}`,
    { kind: 'admit', body: { ...admit, via: 'invite', grantId: id } }
  ],
  [`invite ${idText} for 1 secondary, until 2027-01-01 00:00 UTC`, { kind: 'grant', body: grant }],
  [
    `invite ${idText} for 1 secondary, named a, in the place of b, until 2027-01-01 00:00 UTC, for the lab`,
    { kind: 'grant', body: { ...grant, name: 'a', replaces: 'b', note: 'for the lab' } }
  ],
  [`invite ${idText}: lost`, { kind: 'grantEnd', body: { id, reason: 'lost' } }],
  ['admission by invite, memberships of 90 d', { kind: 'policy', body: defaultPolicy }],
  [
    'secondary, until 2027-01-01 00:00 UTC, approved by the operator, forwarded by another registry',
    { kind: 'admit', body: { ...admit, via: 'approved', receipt: hash } }
  ],
  [
    'root, until 2027-01-01 00:00 UTC, as the founder',
    { kind: 'admit', body: { publicKey, name: 'r', notAfterMs: until, role: 'root', via: 'founder' } }
  ],
  ['until 2027-01-01 00:00 UTC', { kind: 'renew', body: { publicKey, notAfterMs: until, request: hash } }],
  ['stolen', { kind: 'revoke', body: { publicKey, reason: 'stolen' } }],
  ['without a reason, as the node itself asked', { kind: 'end', body: { publicKey, reason: '', request: hash } }],
  [
    `takes the place of ${peerIdText(publicKey)}`,
    { kind: 'rotate', body: { oldKey: publicKey, newKey: publicKey, proofOld: hash, proofNew: hash } }
  ],
  ['serves as secondary', { kind: 'registrySet', body: { publicKey, role: 'secondary', removed: false } }],
  ['no secondary any more', { kind: 'registrySet', body: { publicKey, role: 'secondary', removed: true } }],
  [`epoch 2 begins with log key ${zeros}`, { kind: 'delegate', body: { logKey: hash } }],
  [
    `the authority key is ${zeros} from now on`,
    { kind: 'authority', body: { authorityKey: hash, nextAuthorityDigest: hash } }
  ],
  ['may publish documents', { kind: 'publisher', body: { publicKey, removed: false } }],
  [
    `plan version 2, text/plain, 12 bytes, SHA-256 ${zeros}`,
    {
      kind: 'publish',
      body: {
        id: 'plan',
        documentVersion: 2,
        mediaType: 'text/plain',
        digest: hash,
        sizeBytes: 12,
        publisherKey: publicKey
      }
    }
  ],
  ['plan: too old', { kind: 'retire', body: { id: 'plan', reason: 'too old' } }],
  [
    'of a newer version: kept and counted, without effect here',
    { kind: 'unknown', kindNumber: 99, body: new Uint8Array() }
  ]
])('%s', (detail, content) => {
  expect(entryDetail(entry(content))).toBe(detail)
})
