import { describe, expect, it } from 'vitest'
import { circuitVia, isRelayed, parseCircuit } from '../../../src/address/circuit.ts'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'

const id = (): string => peerIdText(SigningKey.generate().publicKey)
const relay = id()
const peerId = id()
const circuit = `${circuitVia(relay)}/p2p/${peerId}`

describe('an address through a relay', () => {
  it('names the relay and the peer, and nothing else', () => {
    expect(parseCircuit(circuit)).toEqual({ relay, peerId })
    expect(isRelayed({ remoteAddr: circuit })).toBe(true)
  })

  it.each([
    ['an IP address before it, which would be dialled', `/ip6/::1/tcp/1${circuit}`],
    ['no peer behind it', circuitVia(relay)],
    ['two relays', `${circuitVia(relay)}${circuitVia(id())}/p2p/${peerId}`],
    ['the relay as its peer', `${circuitVia(relay)}/p2p/${relay}`],
    ['something behind it', `${circuit}/tcp/1`],
    ['a PeerId that is none', `/p2p/${relay.slice(1)}/p2p-circuit/p2p/${peerId}`],
    ['no circuit', `/p2p/${relay}`],
    ['a direct way', `/ip6/::1/tcp/1/p2p/${peerId}`],
    ['nothing', '']
  ])('is none with %s', (_, text) => {
    expect(parseCircuit(text)).toBeUndefined()
    expect(isRelayed({ remoteAddr: text })).toBe(false)
  })
})
