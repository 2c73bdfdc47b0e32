import { duplexPair } from 'node:stream'
import { describe, expect } from 'vitest'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { NotAllowedError } from '../../../src/runtime/errors.ts'
import { echo, readAll, startForwardMember } from '../../helpers/hosts/forward-members.ts'
import type { Members } from '../../helpers/hosts/members.ts'
import { eventually } from '../../helpers/network.ts'
import { disposeAfterTest } from '../../helpers/vitest/dispose-after-test.ts'
import { attack, control } from '../attack.ts'

describe('a member that calls what it may not', () => {
  const ask = async (isAllowed: boolean) => {
    let reached = 0
    const members: Members = new Map()
    const server = await startForwardMember({
      members,
      serve: async (key, service) => {
        if (!isAllowed) throw new NotAllowedError('no rule', 3)
        reached++
        return await echo(key, service)
      }
    })
    const client = await startForwardMember({ members })
    disposeAfterTest(server, client)
    let opened = 0
    for (const service of ['ssh', 'postgres', 'none-such', 'web']) {
      await client.call(server, service).then(
        () => opened++,
        (error: Error) => expect(error.message).toContain('log entry 3')
      )
    }
    return { reached, opened }
  }

  attack('to reach a service, or to learn which there are', async () => {
    expect(await ask(false)).toEqual({ reached: 0, opened: 0 })
    return {
      happened: '4 names, one answer for all of them; no connection to a service',
      held: 'the rules of the policy, asked first'
    }
  })

  control('reaches each where the rules allow it', async () => {
    expect(await ask(true)).toEqual({ reached: 4, opened: 4 })
  })
})

describe('a member that may call nothing, where all places are taken', () => {
  const ofAll = 4
  const asks = 8
  /** Forwards that an honest member keeps while another one asks again and again. */
  const ask = async (isAllowed: boolean) => {
    const members: Members = new Map()
    const server = await startForwardMember({
      members,
      serve: echo,
      judge: (service) => {
        if (service === 'secret' && !isAllowed) throw new NotAllowedError('no rule', 3)
      },
      limits: { forward: { ...defaultLimits.forward, ofAll } }
    })
    const honest = await startForwardMember({ members })
    const other = await startForwardMember({ members })
    disposeAfterTest(server, honest, other)
    for (let at = 0; at < ofAll; at++) await honest.call(server)
    const [first] = honest.live.list()
    for (let at = 0; at < asks; at++) await other.call(server, 'secret').catch(() => {})
    // Its answer comes behind all that happened to the others.
    await honest.call(server).catch(() => {})
    return { kept: honest.live.list().length, others: other.live.list().length, first: first?.isOpen }
  }

  attack('to end the forwards of others', async () => {
    const { kept, others, first } = await ask(false)
    expect([kept, others, first]).toEqual([ofAll, 0, true])
    return {
      happened: `${asks} calls that no rule allows: ${kept} of ${ofAll} forwards of an honest member go on`,
      held: 'the rules of the policy, asked before a place is given'
    }
  })

  control('is given places by the member that has most, where the rules allow it', async () => {
    const { others } = await ask(true)
    expect(others).toBe(ofAll / 2)
  })
})

describe('a member that reads nothing of what it is sent', () => {
  const forwards = 64
  /** Services that send without end, to a member that reads it or does not. */
  const pour = async (reads: boolean) => {
    let sent = 0
    const members: Members = new Map()
    const chunk = Buffer.alloc(64 * 1024)
    const server = await startForwardMember({
      members,
      serve: async (key, service) => {
        if (service === 'echo') return await echo(key, service)
        const [ours, theirs] = duplexPair()
        theirs.on('error', () => {})
        const more = (): void => {
          while (!theirs.destroyed && sent < 256 * 2 ** 20) {
            sent += chunk.length
            if (!theirs.write(chunk)) break
          }
        }
        theirs.on('drain', more)
        more()
        return ours
      }
    })
    const client = await startForwardMember({ members })
    const honest = await startForwardMember({ members })
    disposeAfterTest(server, client, honest)
    for (let at = 0; at < forwards; at++) {
      const { socket } = await client.call(server, 'pour')
      socket.on('error', () => {})
      if (reads) socket.resume()
    }
    const beside = await honest.call(server)
    beside.socket.end('beside them')
    const got = (await readAll(beside.socket)).toString()
    const waiting = server.live.list().reduce((sum, each) => sum + each.waitingBytes, 0)
    if (reads) await eventually(() => sent >= 256 * 2 ** 20)
    return { got, waiting, sent }
  }

  attack(`on ${forwards} forwards, to fill the memory of who serves it`, async () => {
    const { got, waiting, sent } = await pour(false)
    expect(got).toBe('beside them')
    expect(waiting).toBeLessThan(defaultLimits.forward.waitingBytesOfPeer)
    expect(sent).toBeLessThan(256 * 2 ** 20)
    return {
      happened: `${Math.round(sent / 2 ** 20)} MiB left the services, ${Math.round(waiting / 2 ** 20)} MiB wait; an honest member is served beside it`,
      held: 'forward.windowBytes, forward.waitingBytesOfPeer'
    }
  })

  control('is sent all there is when it reads', async () => {
    const { got, sent } = await pour(true)
    expect([got, sent >= 256 * 2 ** 20]).toEqual(['beside them', true])
  })
})
