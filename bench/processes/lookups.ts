import { LookupStream } from '../../src/protocols/lookup/index.ts'
import type { LookupQuery } from '../../src/registry/records/lookup.ts'
import { type LoadResult, runLoad } from '../harness/load.ts'
import { clientLimits, LightMember } from '../harness/members/light-member.ts'
import { memberKey, memberName } from '../harness/members/members.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** A member that asks a registry for others, one question after the other on one stream. */
let member: LightMember | undefined
let networkId: Uint8Array = new Uint8Array()

export type LookupKind = 'PeerId' | 'name' | 'page'

function queryOf(kind: LookupKind, number: number, rows: number): LookupQuery {
  if (kind === 'PeerId') return { publicKey: memberKey(number).publicKey }
  if (kind === 'name') return { name: memberName(number) }
  // A page from anywhere in the domain but its end, where it would be short.
  const after = memberKey(number).publicKey.slice()
  after[0] = (after[0] ?? 0) & 0x7f
  return { after, limit: rows }
}

const methods = {
  async open(root: RootAddress, number: number): Promise<void> {
    member = await LightMember.start(number, root)
    await member.register()
    networkId = root.networkId
  },

  async ask(kind: LookupKind, questions: number, members: number, rows: number): Promise<LoadResult> {
    const queries = Array.from({ length: questions }, () =>
      queryOf(kind, 1 + Math.floor(Math.random() * (members - 1)), rows)
    )
    if (member === undefined) throw new Error('not connected')
    // A stream without questions is closed after a while.
    await using stream = await LookupStream.open(member.connection, { networkId, limits: clientLimits })
    return await runLoad(questions, 1, async (job) => {
      const page = await stream.ask(queries[job] ?? {})
      if (page.rows.length === 0) throw new Error(`nothing was found for ${JSON.stringify(queries[job])}`)
    })
  }
}

export type LookupsMethods = typeof methods

serveMethods(methods, async () => {
  await member?.stop()
})
