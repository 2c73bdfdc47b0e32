import { expect, it } from 'vitest'
import { revokedBy } from '../../../../src/registry/log/log-rows.ts'
import type { LogEntry } from '../../../../src/registry/objects/entry.ts'

it('a revoke and a rotation shut a key out for ever, and nothing else does', () => {
  const position = { networkId: new Uint8Array(32), n: 1, epoch: 0, prevHash: new Uint8Array(32), timeMs: 1 }
  const [oldKey, newKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const revoke: LogEntry = { ...position, kind: 'revoke', body: { publicKey: oldKey, reason: '' } }
  const set: LogEntry = {
    ...position,
    kind: 'registrySet',
    body: { publicKey: oldKey, role: 'secondary', removed: true }
  }
  const proofs = { proofOld: new Uint8Array(), proofNew: new Uint8Array() }
  const rotate: LogEntry = { ...position, kind: 'rotate', body: { oldKey, newKey, ...proofs } }
  expect([revoke, rotate, set].map(revokedBy)).toEqual([oldKey, oldKey, undefined])
})
