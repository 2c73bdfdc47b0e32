import type { SeatView } from '../root/store/seat-view.ts'
import { span } from '../views/phrases.ts'
import type { Notice } from './notices.ts'

/** The database that keeps the log, as a root or candidate sees it. */
export interface RootStoreFacts extends Omit<SeatView, 'state'> {
  readonly isHeld: boolean
}

/** A lease is renewed when a quarter of it is over: three renewals are lost then. */
const leaseAtRiskMs = 750
/** Candidates start, too, and say every five seconds that they are there. */
const settleMs = 60_000

const notice = (code: string, message: string, fix: string): Notice => ({ code, level: 'warning', message, fix })

/** Notices of a process that stands for the place of the root. Pure: of facts alone. */
export const rootStoreNotices = (facts: RootStoreFacts | undefined, upMs: number): (Notice | undefined)[] =>
  facts === undefined
    ? []
    : [awayNotice(facts), leaseNotice(facts), faultNotice(facts), weakNotice(facts), aloneNotice(facts, upMs)]

const awayNotice = ({ failure, isHeld, leaseLeftMs = 0 }: RootStoreFacts): Notice | undefined => {
  if (failure === undefined) return undefined
  const lease = leaseLeftMs > 0 ? `ends in ${span(leaseLeftMs)}` : 'has ended'
  const mine = isHeld ? `; the lease of this process ${lease}, and a candidate that reaches it takes its place` : ''
  return {
    ...notice(
      'root_store_down',
      `the database that keeps the log is not reached: ${failure.message}${mine}`,
      'look at the database and the way to it: trustnet registry status; the root goes on by itself'
    ),
    sinceMs: failure.sinceMs
  }
}

const leaseNotice = ({ failure, leaseLeftMs }: RootStoreFacts): Notice | undefined =>
  failure !== undefined || leaseLeftMs === undefined || leaseLeftMs > leaseAtRiskMs
    ? undefined
    : notice(
        'root_store_lease',
        `the lease of the log ends in ${span(Math.max(0, leaseLeftMs))} and is not renewed yet: the database is slow, or this machine is`,
        'trustnet registry status; look at the load of the database and of this machine'
      )

const faultNotice = ({ fault }: RootStoreFacts): Notice | undefined =>
  fault === undefined
    ? undefined
    : notice(
        'no_candidate',
        `this machine cannot take the place of the root: ${fault}`,
        'docs/operations.md "A root that does without its machine"'
      )

const weakNotice = ({ weaknesses }: RootStoreFacts): Notice | undefined =>
  weaknesses.length === 0
    ? undefined
    : notice(
        'root_store_weak',
        `the database may lose entries of the log that it has answered for: ${weaknesses.join(', ')}`,
        'docs/operations.md "A root that does without its machine": a synchronous standby, and commits that are flushed'
      )

const aloneNotice = ({ isHeld, others }: RootStoreFacts, upMs: number): Notice | undefined =>
  !isHeld || others === undefined || others.length > 0 || upMs < settleMs
    ? undefined
    : notice(
        'root_store_alone',
        'no candidate is there: nobody takes the place of this root when its machine is lost',
        'start the candidates; one that has no log key says so in its own trustnet status'
      )
