import { hostAddress } from '../../address/spelling.ts'
import { liveAddresses } from '../../dns/compare.ts'
import { instructionsFor } from '../../dns/providers/instructions.ts'
import type { RecordEdit } from '../../dns/providers/provider.ts'
import { recordTtlSeconds } from '../../dns/records.ts'
import { tnrName } from '../../dns/tnr.ts'
import { answering } from '../access/find-running.ts'
import type { Context } from '../output/context.ts'
import { UsageError } from '../output/exit.ts'
import { domainOf } from './facts.ts'
import type { ShowOptions } from './options.ts'
import { instructionLines } from './text.ts'

/** The whole record set as it should be, and the steps to it. */
export const show = async (context: Context, options: ShowOptions): Promise<void> => {
  const { terminal, signal } = context
  const isGiven = options.address !== undefined && options.domain !== undefined
  const client = isGiven ? undefined : await answering(context, options)
  const domain = await domainOf(context, options, client)
  const given = options.address && [...new Set(options.address.map(hostAddress))]
  const alive = async (): Promise<string[]> => {
    if (client === undefined) throw new UsageError('No registry runs here: name its address with --address IP.')
    const [{ registries }, status] = await Promise.all([
      client.registryStatus({}, { signal }),
      client.status({}, { signal })
    ])
    return liveAddresses(registries, status.dns.port)
  }
  const values = given ?? (await alive())
  if (values.length === 0)
    throw new UsageError('No registry has an address that can be published: name one with --address IP.')
  const name = tnrName(domain)
  const edit: RecordEdit = { name, type: 'AAAA', ttlSeconds: recordTtlSeconds, add: values, remove: [] }
  const instructions = instructionsFor(edit, { provider: options.provider })
  if (options.json === true) {
    terminal.json({ domain, name, type: 'AAAA', ttlSeconds: recordTtlSeconds, values, instructions })
    return
  }
  for (const line of instructionLines(instructions, terminal.paint)) terminal.print(line)
}
