import { isIPv6 } from 'node:net'
import { parseAddr } from '../../address/multiaddr.ts'
import type { RecordEdit } from '../../dns/providers/provider.ts'
import { recordTtlSeconds } from '../../dns/records.ts'
import { lookupTnr, type TnrAnswer, tnrName } from '../../dns/tnr.ts'
import { isRegistryRole } from '../../identity/role.ts'
import { stableAddress } from '../machine/checks.ts'
import type { Answers } from '../model/answers.ts'
import { type Check, pass, warn } from '../model/check.ts'
import type { MachineFacts } from '../model/facts.ts'

/** The record that leads others to this registry; undefined: a node needs none, or the machine has no address yet. */
export const wantedRecord = (answers: Answers, facts: Pick<MachineFacts, 'ipv6'>): RecordEdit | undefined => {
  const own = answers.announce.map((multiaddr) => parseAddr(multiaddr)?.ip).find((ip) => ip !== undefined)
  // The address of a pod is not known before it runs, and is not this machine's.
  const address = own ?? (answers.deployment === 'kubernetes' ? undefined : stableAddress(facts))
  if (!isRegistryRole(answers.role) || address === undefined || !isIPv6(address)) return undefined
  return { name: tnrName(answers.domain), type: 'AAAA', ttlSeconds: recordTtlSeconds, add: [address], remove: [] }
}

/** The same, by what the running registry tells others. */
export const announcedRecord = (domain: string, announced: readonly string[]): RecordEdit | undefined => {
  const ip = announced.map((multiaddr) => parseAddr(multiaddr)?.ip).find((one) => one !== undefined)
  return ip === undefined
    ? undefined
    : { name: tnrName(domain), type: 'AAAA', ttlSeconds: recordTtlSeconds, add: [ip], remove: [] }
}

/** Tells whether the name already leads to this machine. */
export const isThere = (record: RecordEdit, answer: TnrAnswer): boolean =>
  answer.kind === 'found' && record.add.every((value) => answer.addresses.some(({ address }) => address === value))

export const lookup = (domain: string, signal: AbortSignal): Promise<TnrAnswer> => lookupTnr(domain, { signal })

/** Turns the answer of DNS into a check. Pure. */
export const recordCheck = (answers: Answers, record: RecordEdit | undefined, answer: TnrAnswer): Check => {
  const name = tnrName(answers.domain)
  const found = answer.kind === 'found' ? answer.addresses.map(({ address }) => address).join(', ') : answer.message
  if (record !== undefined) {
    if (isThere(record, answer)) return pass('record', 'DNS record', `${name} is ${found}`)
    if (answers.role === 'secondary')
      return pass('record', 'DNS record', `${name} leads here when the root has named this registry, at the end`)
    const add = `${name}. ${record.ttlSeconds} IN AAAA ${record.add.join(' ')}`
    return warn(
      'record',
      'DNS record',
      `${name} does not lead here yet (${found}); members with an invite do not need it`,
      `add ${add}`
    )
  }
  if (answer.kind === 'found') return pass('record', 'DNS record', `${name} is ${found}`)
  if (answers.trust.kind === 'invite' || answers.rootAddress !== null) {
    return pass('record', 'DNS record', `${name} is not needed: the address of a registry is known`)
  }
  const fix = 'have it added where the root was installed, or use an invite or --root-registry'
  return warn('record', 'DNS record', `${found}; the node goes on looking until it is there`, fix)
}
