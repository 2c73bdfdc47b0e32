import { expect, test } from 'vitest'
import { requirePublishable } from '../../../../src/registry/documents/publish-rules.ts'
import { defaultPolicy } from '../../../../src/registry/objects/policy/policy.ts'
import { keyNumber } from '../../../helpers/log-network.ts'
import { publishBy } from '../../../helpers/registry/publisher.ts'

test('documents without bytes have an end, too, and none of them is looked at', () => {
  const many = (count: number) => ({
    policy: defaultPolicy,
    currentDocuments: { count, bytes: 0 },
    document: () => undefined,
    documentsOf: () => ({ count: 0, bytes: 0 }),
    registry: () => ({
      publicKey: new Uint8Array(32),
      role: 'root' as const,
      name: 'r',
      n: 1,
      hash: new Uint8Array(32)
    }),
    documents: () => {
      throw new Error('each document was looked at')
    },
    isRevoked: () => false,
    mayPublish: () => true,
    member: () => undefined
  })
  const next = publishBy(keyNumber(1), '')
  requirePublishable(many(16_383), next)
  expect(() => requirePublishable(many(16_384), next)).toThrow(/one more than the 16384 documents/)
})

test('of the places that others leave a publisher has half, and the root all', () => {
  const state = (own: number, others: number, role?: 'root') => ({
    policy: defaultPolicy,
    currentDocuments: { count: own + others, bytes: 0 },
    documentsOf: () => ({ count: own, bytes: 0 }),
    document: () => undefined,
    documents: () => [][Symbol.iterator](),
    isRevoked: () => false,
    mayPublish: () => true,
    member: () => undefined,
    registry: () => role && { publicKey: new Uint8Array(32), role, name: 'r', n: 1, hash: new Uint8Array(32) }
  })
  const next = publishBy(keyNumber(1), '')
  requirePublishable(state(8_191, 0), next)
  expect(() => requirePublishable(state(8_192, 0), next)).toThrow(/more than half of what others leave/)
  requirePublishable(state(4_095, 8_192), next)
  expect(() => requirePublishable(state(4_096, 8_192), next)).toThrow(/retire some of them/)
  requirePublishable(state(16_383, 0, 'root'), next)
})
