import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { decode } from 'dns-packet'
import { describe, expect } from 'vitest'
import { decodeBounded } from '../../../src/dns/bounded-decode.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { attack, control } from '../attack.ts'

const records = 4_000

/** An answer of 64 KiB: each of its records points to one name of 241 bytes. */
const bomb = (): Buffer => {
  const name = Buffer.concat([...Array.from({ length: 120 }, () => Buffer.from([1, 97])), Buffer.from([0])])
  const data = Buffer.from([0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1])
  const pointer = Buffer.from([0xc0, 12])
  const others = Array.from({ length: records - 1 }, () => Buffer.concat([pointer, data]))
  const header = Buffer.alloc(12)
  header.writeUInt16BE(records, 6)
  return Buffer.concat([header, name, data, ...others])
}

/** The message as it comes from a name server, over a real socket. */
const received = async (message: Buffer): Promise<Buffer> => {
  const [client, server] = [createSocket('udp6'), createSocket('udp6')]
  try {
    client.bind(0, '::1')
    await once(client, 'listening')
    const heard = once(client, 'message', { signal: AbortSignal.timeout(ceilingMs) })
    server.send(message, client.address().port, '::1')
    const [bytes]: Buffer[] = await heard
    return bytes ?? Buffer.alloc(0)
  } finally {
    client.close()
    server.close()
  }
}

describe('a name server', () => {
  attack('answers with thousands of records that point to one long name', async () => {
    const bytes = await received(bomb())
    expect(() => decodeBounded(bytes)).toThrow(/at most/)
    return {
      happened: `${bytes.byteLength} bytes with ${records} records: not decoded`,
      held: '16 KiB and 512 records'
    }
  })

  attack('says that there are more records than it sends', async () => {
    const header = Buffer.alloc(12)
    header.writeUInt16BE(65_535, 6)
    const bytes = await received(header)
    expect(() => decodeBounded(bytes)).toThrow(/at most/)
    return { happened: '65,535 records in 12 bytes: not decoded', held: '512 records' }
  })

  control('the library decodes all of them', async () => {
    expect(decode(await received(bomb())).answers).toHaveLength(records)
  })
})
