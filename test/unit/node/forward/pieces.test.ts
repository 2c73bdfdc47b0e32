import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { fromPieces, inPieces } from '../../../../src/node/forward/pieces.ts'

const all = async (pieces: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of pieces) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* each(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}

describe('bytes for a command', () => {
  test('come whole, and so do those of the command, each way with an end of its own', async () => {
    const sent = randomBytes(300_000)
    const [ours, theirs] = duplexPair()
    const pieces = inPieces(ours)
    const here: Buffer[] = []
    pieces.on('data', (chunk: Buffer) => here.push(chunk))
    const ended = once(pieces, 'end')
    theirs.end(sent)
    await ended
    expect(Buffer.concat(here).equals(sent)).toBe(true)
    pieces.write(sent.subarray(0, 1))
    pieces.end(sent.subarray(1))
    expect((await all(fromPieces(theirs))).equals(sent)).toBe(true)
  })

  test.each([1, 3, 5, 7])('come whole in chunks of %d bytes', async (size) => {
    const framed = Buffer.concat([Buffer.of(0, 0, 0, 3), Buffer.from('one'), Buffer.of(0, 0, 0, 2), Buffer.from('to')])
    const whole = Buffer.concat([framed, Buffer.alloc(4)])
    expect((await all(fromPieces(each(whole, size)))).toString()).toBe('oneto')
    await expect(all(fromPieces(each(framed, size)))).rejects.toThrow('cut off')
  })

  test('that stop are cut off, also where the socket ends in order', async () => {
    const [ours, theirs] = duplexPair()
    const pieces = inPieces(ours)
    pieces.on('error', () => {})
    pieces.write('half of it')
    const came = all(fromPieces(theirs))
    pieces.destroy()
    await expect(came).rejects.toThrow(Error)
  })
})
