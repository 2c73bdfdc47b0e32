import { setTimeout as pause } from 'node:timers/promises'
import { LookupStream } from '../../src/protocols/lookup/index.ts'
import { clientLimits, LightMember } from '../harness/light-member.ts'
import { memberName } from '../harness/members.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** A member that goes on with its work: questions, a new connection for each fifth. */
let member: LightMember | undefined
let target: RootAddress | undefined

const methods = {
  async open(root: RootAddress, number: number): Promise<void> {
    target = root
    member = await LightMember.start(number, root)
    await member.register()
  },

  /** Asks for a member by name so often. Gives the ms of those that were answered, and the seqs of the record that was found. */
  async lookups(
    count: number,
    of: number,
    pauseMs: number
  ): Promise<{ ms: number[]; seqs: number[]; failed: string[] }> {
    if (member === undefined || target === undefined) throw new Error('not connected')
    const ms: number[] = []
    const seqs: number[] = []
    const failed: string[] = []
    for (let done = 0; done < count; done++) {
      const from = performance.now()
      try {
        if (done % 5 === 4) await member.connect()
        await using stream = await LookupStream.open(member.connection, {
          networkId: target.networkId,
          limits: clientLimits
        })
        const { rows } = await stream.ask({ name: memberName(of) })
        const [row] = rows
        if (row?.record === undefined) throw new Error('it was not found')
        seqs.push(row.record.value.seq)
        ms.push(performance.now() - from)
      } catch (error) {
        failed.push(String(error))
      }
      await pause(pauseMs)
    }
    return { ms, seqs, failed }
  }
}

export type HonestMethods = typeof methods

serveMethods(methods, async () => await member?.stop())
