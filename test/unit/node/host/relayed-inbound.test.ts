import { multiaddrConnectionPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { RelayedInbound } from '../../../../src/node/host/relayed-inbound.ts'

const connection = () => multiaddrConnectionPair({ delay: 0, capacity: 64 })[0]

describe('connections that others open through relays', () => {
  it('are so many, and a place is free again with its connection', () => {
    const inbound = new RelayedInbound(1, undefined)
    const first = connection()
    expect(inbound.refuse(first)).toBeUndefined()
    expect(inbound.refuse(connection())).toMatch(/1 connections/)
    first.abort(new Error('enough'))
    expect(inbound.refuse(connection())).toBeUndefined()
  })

  it('take no place when they have ended before', () => {
    const inbound = new RelayedInbound(1, undefined)
    const gone = connection()
    gone.abort(new Error('enough'))
    expect(inbound.refuse(gone)).toMatch(/ended/)
    expect(inbound.refuse(connection())).toBeUndefined()
  })
})
