import type { Signed } from '../../registry/objects/envelope.ts'
import type { NodeRecord } from '../../registry/objects/record.ts'
import type { Part } from '../../runtime/supervisor.ts'
import type { PeerSource } from '../api/views.ts'
import type { Candidate } from '../bootstrap/dial-race.ts'

/** Address at which a registry or member may be reached, and how that was learned. */
export interface KnownCandidate extends Candidate {
  readonly source: PeerSource
}

/** One of the places where addresses are found. */
export interface Resolver {
  /**
   * Addresses of this member; without a key those of registries to begin with. undefined: it was not asked.
   * @throws when it fails, which its health then says
   */
  resolve(publicKey: Uint8Array | undefined, signal: AbortSignal): Promise<readonly KnownCandidate[] | undefined>
  /** Makes the own addresses known to those who ask there. */
  register?(record: Signed<NodeRecord>): Promise<void>
  /** Somebody who proved itself was reached at this address. */
  answered?(address: string): void
  /** State that status shows; undefined: it is in this process, and does not fail. */
  readonly health?: Part | undefined
}

export type ResolverName = 'known' | 'link' | 'dns' | 'registry' | 'gossip' | 'dht'

/** A race of more would only be a flood: the best of each place come first. */
export const maxCandidates = 32
