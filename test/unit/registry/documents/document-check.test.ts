import { expect, test } from 'vitest'
import { RealNetwork } from '../../../helpers/real-network.ts'

test('a check of 10 MiB gives way to others, and ends with its process', async () => {
  await using network = await RealNetwork.create({ documentBytes: 64 * 2 ** 20 })
  const { documents } = network.root
  const publishing = Array.from({ length: 40 }, (_, at) => {
    const bytes = new Uint8Array(256 * 1024).fill(at)
    return documents.publish({ id: `d${at}`, mediaType: 'text/plain', bytes })
  })
  await Promise.all(publishing)
  let turns = 0
  const next = (): void => {
    turns++
    timer = setImmediate(next)
  }
  let timer = setImmediate(next)
  expect(await documents.bytes.check(new AbortController().signal)).toBe(40)
  clearImmediate(timer)
  expect(turns).toBeGreaterThanOrEqual(9)
  await expect(documents.bytes.check(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
})
