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
