import { expect, test } from 'vitest'
import { UnansweredPublishes } from '../../../../src/registry/documents/unanswered.ts'
import type { Publish } from '../../../../src/registry/objects/entry.ts'

const publish = (id: string, content = 1): Publish => ({
  id,
  documentVersion: 1,
  mediaType: 'text/plain',
  digest: new Uint8Array(32).fill(content),
  sizeBytes: 1,
  publisherKey: new Uint8Array(32)
})

test('a publish that nobody has answered is known once, and only with the same content', () => {
  const unanswered = new UnansweredPublishes()
  expect(unanswered.take(publish('plan'))).toBe(false)
  unanswered.add(publish('plan'))
  expect(unanswered.take(publish('other'))).toBe(false)
  expect(unanswered.take(publish('plan'))).toBe(true)
  expect(unanswered.take(publish('plan'))).toBe(false)
})

test('another content of the same id is not it, and ends what was known of the id', () => {
  const unanswered = new UnansweredPublishes()
  unanswered.add(publish('plan', 1))
  unanswered.add(publish('plan', 2))
  expect(unanswered.take(publish('plan', 1))).toBe(false)
  expect(unanswered.take(publish('plan', 2))).toBe(false)
})

test('of more than 64 the one that was published first is forgotten; one that is published again is the latest', () => {
  const unanswered = new UnansweredPublishes()
  for (let each = 0; each < 64; each++) unanswered.add(publish(`d${each}`))
  unanswered.add(publish('d0'))
  unanswered.add(publish('d64'))
  const known = Array.from({ length: 65 }, (_, each) => each).filter((each) => unanswered.take(publish(`d${each}`)))
  expect(known).toEqual([0, ...Array.from({ length: 63 }, (_, each) => each + 2)])
})
