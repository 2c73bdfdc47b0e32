import type { NetworkNode } from '../network-node.ts'
import type { NodeContext } from '../node-context.ts'
import { gauge, type Sample } from './sample.ts'

/** Samples of the database that keeps the log. Nothing where the store of the root keeps it. */
export const rootStoreSamples = ({ seat }: NodeContext, { registry: { replica } }: NetworkNode): Sample[] => {
  const { state, failure, fault, leaseLeftMs, others, weaknesses } = seat?.view ?? {}
  return [
    gauge('trustnet_root_store_reached', 'The database of the log answered last: 1.', seat && failure === undefined),
    gauge('trustnet_root_store_lease', 'This process holds the lease of the log in its database: 1.', seat?.isHeld),
    gauge(
      'trustnet_root_store_lease_seconds',
      'Time that the lease of this process has left.',
      leaseLeftMs === undefined ? undefined : Math.max(0, leaseLeftMs) / 1000
    ),
    gauge('trustnet_root_store_term', 'Number of the last lease in the database of the log.', state?.lease.term),
    gauge(
      'trustnet_root_store_lag',
      'Entries in the database of the log that this store lacks.',
      state && Math.max(0, state.head.n - replica.head.n)
    ),
    gauge('trustnet_root_store_candidates', 'Others that stand for the place of the root.', others?.length),
    gauge('trustnet_root_store_stands', 'This process can take the place of the root: 1.', seat && fault === undefined),
    gauge(
      'trustnet_root_store_weaknesses',
      'Settings by which the database of the log may lose what it has answered.',
      weaknesses?.length
    )
  ]
}
