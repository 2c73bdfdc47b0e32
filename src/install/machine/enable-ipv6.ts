import { setTimeout as sleep } from 'node:timers/promises'
import { scopeOf } from '../../address/multiaddr.ts'
import type { SysctlAction } from '../model/action.ts'
import type { Ipv6Facts } from '../model/facts.ts'
import { stableAddress } from './checks.ts'

/** File of its own, so that uninstall takes exactly this away. */
const sysctlFile = '/etc/sysctl.d/60-trustnet-ipv6.conf'

/** Turns IPv6 on wherever it is off. undefined: it is off nowhere, or this kernel has none. */
export const enableIpv6 = ({ kernel, disabled, writable }: Ipv6Facts): SysctlAction | undefined => {
  if (!kernel || !writable || disabled.length === 0) return undefined
  // `all` first: writing it also sets every interface.
  const devices = ['all', 'default', ...disabled.filter((device) => device !== 'all' && device !== 'default')]
  const values = Object.fromEntries(devices.map((device) => [`net.ipv6.conf.${device}.disable_ipv6`, '0']))
  return { kind: 'sysctl', path: sysctlFile, values }
}

export interface AwaitOptions {
  readonly read: () => Promise<Ipv6Facts>
  readonly signal: AbortSignal
  readonly say: (text: string) => void
  readonly tries: number
  readonly everyMs: number
  /** Waiting longer brings nothing. */
  readonly isOver?: ((found: Ipv6Facts) => boolean) | undefined
}

/** Between two looks inside one try: an advertised address is there within milliseconds of the advertisement. */
const lookMs = 100

/** Looks again until a stable address is there: what it found last. */
export const awaitAddress = async ({ read, signal, say, tries, everyMs, isOver }: AwaitOptions): Promise<Ipv6Facts> => {
  let found = await read()
  for (let attempt = 1; attempt <= tries; attempt++) {
    say(`waiting for an IPv6 address: try ${attempt} of ${tries}`)
    const end = performance.now() + everyMs
    while (performance.now() < end) {
      if (stableAddress({ ipv6: found }) !== undefined || isOver?.(found) === true) return found
      await sleep(Math.min(lookMs, everyMs), undefined, { signal })
      found = await read()
    }
  }
  return found
}

/** A router is there and has offered no prefix, which it says in one message: addresses come by DHCPv6. */
export const isManaged = (ipv6: Ipv6Facts): boolean =>
  ipv6.gateway !== null && !isSettling(ipv6) && ipv6.addresses.every(({ address }) => !usable.has(scopeOf(address)))

const usable: ReadonlySet<string> = new Set(['global', 'ula'])

/** Duplicate address detection goes on: its end is a second or two away. */
export const isSettling = (ipv6: Ipv6Facts): boolean =>
  stableAddress({ ipv6 }) === undefined && ipv6.addresses.some(({ tentative, duplicate }) => tentative && !duplicate)
