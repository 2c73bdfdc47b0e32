import { encode } from 'dns-packet'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { networkIdText } from '../../../../src/identity/network-id.ts'
import { announcement, linkTag, question, readPacket } from '../../../../src/node/link/packets.ts'

const networkId = Uint8Array.from({ length: 32 }, (_, i) => i)
const tag = linkTag(networkId)
const instance = '0123456789abcdef'

describe('packets on a link', () => {
  it('hold a tag, a random word and a port, and nothing else of the network or the node', () => {
    const bytes = announcement(tag, { instance, port: 9000 })
    expect(readPacket(bytes, tag)).toEqual({ kind: 'listens', instance, port: 9000 })
    expect(readPacket(question(tag), tag)).toEqual({ kind: 'asks' })
    const words = new Set(bytes.toString('latin1').match(/[\w-]{2,}/g))
    expect([...words]).toEqual([`_${tag}`, '_sub', '_trustnet', '_tcp', 'local', instance])
    expect(bytes.includes(Buffer.from(networkId).subarray(0, 8))).toBe(false)
    expect(bytes.toString('latin1')).not.toContain(networkIdText(networkId).slice(2, 12))
  })

  it('of another network are nothing', () => {
    const other = linkTag(Uint8Array.from({ length: 32 }))
    expect(readPacket(announcement(other, { instance, port: 9000 }), tag)).toBe(undefined)
    expect(readPacket(question(other), tag)).toBe(undefined)
  })

  it('with the tag and made to mislead are nothing: no port, other names, no service, too long', () => {
    const name = `_${tag}._sub._trustnet._tcp.local`
    const server = (data: object, of = `${instance}._trustnet._tcp.local`): Buffer =>
      encode({
        type: 'response',
        answers: [
          { type: 'PTR', name, data: of },
          { type: 'SRV', name: of, data: { port: 1, target: 'x.local', ...data } }
        ]
      })
    expect(readPacket(server({}), tag)).toEqual({ kind: 'listens', instance, port: 1 })
    expect(readPacket(server({ port: 0 }), tag)).toBe(undefined)
    expect(readPacket(server({}, `${instance}.example.org`), tag)).toBe(undefined)
    expect(readPacket(server({}, 'A%0A.x._trustnet._tcp.local'), tag)).toBe(undefined)
    expect(readPacket(encode({ type: 'response', answers: [{ type: 'PTR', name, data: 'x.local' }] }), tag)).toBe(
      undefined
    )
    expect(readPacket(Buffer.concat([server({}), Buffer.alloc(512)]), tag)).toBe(undefined)
  })

  it('of any bytes around the tag throw nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 64 }), (before, after) => {
        const heard = readPacket(Buffer.concat([before, Buffer.from(`_${tag}`), after]), tag)
        expect(heard === undefined || heard.kind === 'asks' || heard.port > 0).toBe(true)
      })
    )
  })
})
