import { publicKeyOf } from '../../identity/keys.ts'
import type { Registry } from '../../registry/registry.ts'
import type { LimitView } from '../api/views.ts'
import type { NetworkNode } from '../network-node.ts'

/** View of who exceeded which limit, with the names of members. */
export const limitsView = ({ trust, registry }: NetworkNode): LimitView[] =>
  trust.culprits.counts.map(({ limit, count, culprits }) => ({
    limit,
    count,
    culprits: culprits.map((each) => ({ ...each, name: nameOf(registry, each.who) }))
  }))

const nameOf = ({ replica }: Registry, who: string): string | null => {
  // An address, where no key was proved.
  if (who.startsWith('/')) return null
  return replica.state.member(publicKeyOf(who))?.name ?? null
}
