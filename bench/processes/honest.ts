import { setTimeout as pause } from 'node:timers/promises'
import { LookupStream } from '../../src/protocols/lookup/index.ts'
import { clientLimits, LightMember } from '../harness/members/light-member.ts'
import { memberName } from '../harness/members/members.ts'
import { pace } from '../harness/pace.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** A member that goes on with its work: questions, and a new connection for some, as often as a member may. */
const connections = 3
const paceEvery = 10
let member: LightMember | undefined
let target: RootAddress | undefined

const methods = {
  async open(root: RootAddress, number: number): Promise<void> {
    target = root
    member = await LightMember.start(number, root)
    await member.register()
  },

  /** Asks for a member by name so often, within so long. Gives the ms of those that were answered, the seqs of the record that was found, and the pace meanwhile. */
  async lookups(
    count: number,
    of: number,
    lastsMs: number
  ): Promise<{ ms: number[]; seqs: number[]; failed: string[]; walls: number[] }> {
    if (member === undefined || target === undefined) throw new Error('not connected')
    const ms: number[] = []
    const seqs: number[] = []
    const failed: string[] = []
    const walls: number[] = []
    const every = Math.floor(count / connections)
    const begun = performance.now()
    for (let done = 0; done < count; done++) {
      await pause(Math.max(0, (done * lastsMs) / count - (performance.now() - begun)))
      if (done % paceEvery === 0) walls.push(pace(1).wall)
      const from = performance.now()
      try {
        if (done % every === every - 1) await member.connect()
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
    }
    return { ms, seqs, failed, walls }
  }
}

export type HonestMethods = typeof methods

serveMethods(methods, async () => await member?.stop())
