import type { Connection } from '@libp2p/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import { PeerCap } from '../../../../src/protocols/engine/peer-cap.ts'

/** A connection as the cap sees it: of a peer, open until it closes. */
class Line extends EventTarget {
  readonly id: string
  readonly remotePeer: string
  status = 'open'

  constructor(remotePeer: string, id = remotePeer) {
    super()
    this.remotePeer = remotePeer
    this.id = id
  }

  close(): void {
    this.status = 'closed'
    this.dispatchEvent(new Event('close'))
  }

  get connection(): Connection {
    return this as unknown as Connection
  }
}

let cap: PeerCap
beforeEach(() => {
  cap = new PeerCap(2)
})

describe('a bounded number of peers', () => {
  it('takes those that came first, and tells the others so', () => {
    const [ann, bob, cid] = [new Line('ann'), new Line('bob'), new Line('cid')]
    expect([ann, bob, cid].map(({ connection }) => cap.enter(connection))).toEqual([true, true, false])
    expect(cap.enter(ann.connection)).toBe(true)
    expect(cap.enter(cid.connection)).toBe(false)
  })

  it('counts peers and not connections: the second one of a peer takes no place', () => {
    expect(cap.enter(new Line('ann', 'ann-1').connection)).toBe(true)
    expect(cap.enter(new Line('ann', 'ann-2').connection)).toBe(true)
    expect(cap.enter(new Line('bob').connection)).toBe(true)
    expect(cap.enter(new Line('cid').connection)).toBe(false)
  })

  it('takes nobody whose connection is closed already', () => {
    const ann = new Line('ann')
    ann.close()
    expect(cap.enter(ann.connection)).toBe(false)
    expect([new Line('bob'), new Line('cid')].map(({ connection }) => cap.enter(connection))).toEqual([true, true])
  })
})

describe('whoever waits', () => {
  it('is called when the last connection of somebody inside is closed, and not before', () => {
    const [first, second, bob, cid] = [new Line('ann', 'a1'), new Line('ann', 'a2'), new Line('bob'), new Line('cid')]
    for (const { connection } of [first, second, bob]) cap.enter(connection)
    const called: string[] = []
    cap.wait(cid.connection, cap, () => called.push('cid'))
    first.close()
    expect(called).toEqual([])
    second.close()
    expect(called).toEqual(['cid'])
    expect(cap.enter(cid.connection)).toBe(true)
  })

  it('is called in the order of coming while there is room, and once', () => {
    const inside = [new Line('ann'), new Line('bob')]
    for (const { connection } of inside) cap.enter(connection)
    const waiting = [new Line('cid'), new Line('dan'), new Line('eve')]
    const called: string[] = []
    for (const { connection, id } of waiting) {
      cap.wait(connection, cap, () => {
        called.push(id)
        cap.enter(connection)
      })
    }
    inside[0]?.close()
    expect(called).toEqual(['cid'])
    inside[1]?.close()
    expect(called).toEqual(['cid', 'dan'])
  })

  it('is called for each who wants it, by its last word', () => {
    const [ann, bob, cid] = [new Line('ann'), new Line('bob'), new Line('cid')]
    cap.enter(ann.connection)
    cap.enter(bob.connection)
    const called: string[] = []
    const [one, other] = [{}, {}]
    cap.wait(cid.connection, one, () => called.push('one, before'))
    cap.wait(cid.connection, other, () => called.push('other'))
    cap.wait(cid.connection, one, () => called.push('one'))
    ann.close()
    expect(called).toEqual(['one', 'other'])
  })

  it('is forgotten when it goes, and never waits when it is gone', () => {
    const [ann, bob, cid, dan] = [new Line('ann'), new Line('bob'), new Line('cid'), new Line('dan')]
    cap.enter(ann.connection)
    cap.enter(bob.connection)
    const called: string[] = []
    cap.wait(cid.connection, cap, () => called.push('cid'))
    cid.close()
    dan.close()
    cap.wait(dan.connection, cap, () => called.push('dan'))
    ann.close()
    expect(called).toEqual([])
  })
})
