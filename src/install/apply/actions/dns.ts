import { lookupPublished, waitUntilPublished } from '../../../dns/published.ts'
import { InstallError } from '../../errors.ts'
import type { DnsAction } from '../../model/action.ts'
import { providerOf } from '../../plan/dns-settings.ts'
import type { Kind } from './kind.ts'

/** A provider takes seconds, its secondaries a little longer. */
const publishedMs = 120_000

const edit = ({ record }: DnsAction) => ({ ...record, add: [record.value], remove: [] })
const undoEdit = ({ record }: DnsAction) => ({ ...record, add: [], remove: [record.value] })

export const dnsKind: Kind<DnsAction> = {
  describe: ({ provider, record: { name, ttlSeconds, type, value } }) => ({
    text: `DNS record, written by ${provider}`,
    lines: [`${name}. ${ttlSeconds} IN ${type} ${value}`]
  }),
  before: async ({ record }, { signal }) => {
    const found = await lookupPublished(record, { signal })
    const values = 'servers' in found ? found.servers.flatMap((server) => server.values) : []
    return { there: values.includes(record.value) }
  },
  apply: async (action, { signal, say, env }) => {
    const provider = await providerOf(action.provider, action.settings, env)
    await provider.change(edit(action), { signal, progress: say })
    const { published } = await waitUntilPublished(edit(action), { withinMs: publishedMs, signal, progress: say })
    if (!published) {
      throw new InstallError(
        `${action.record.name} was written, but not every name server of its zone has it after ${publishedMs / 1000} s.`
      )
    }
  },
  revert: async (action, { there }, { signal, say, tell, env }) => {
    if (there === true) return
    try {
      const provider = await providerOf(action.provider, action.settings, env)
      await provider.change(undoEdit(action), { signal, progress: say })
    } catch (error) {
      // The rest is taken back all the same: a name that leads nowhere hurts nobody who has another registry.
      const { name, value } = action.record
      tell(
        `kept: AAAA ${value} of ${name} (${error instanceof Error ? error.message : String(error)}); remove it by hand`
      )
    }
  }
}
