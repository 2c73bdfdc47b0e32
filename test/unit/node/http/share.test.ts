import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Answer, Share } from '../../../../src/node/http/share.ts'

const answer: Answer = { bytes: new TextEncoder().encode('answer'), status: 200 }

test('an answer that took long is given again, and who asks another thing is told to come back', async () => {
  const share = new Share(new AbortController().signal)
  const slow = async (): Promise<Answer> => {
    await sleep(700)
    return answer
  }
  expect(await share.answer('/log?after=1', slow)).toBe(answer)
  expect(await share.answer('/log?after=1', slow)).toBe(answer)
  // Its connection would be closed for silence before its turn came.
  await expect(share.answer('/log?after=2', slow)).rejects.toMatchObject({ name: 'LimitError' })
})
