import { connect } from 'node:net'
import { parseAddr } from '../../address/multiaddr.ts'
import { prefix64 } from '../../address/prefix.ts'
import { decodeInvite } from '../../registry/objects/invite.ts'
import { either, within } from '../../runtime/abort.ts'
import { codeOf } from '../../runtime/error-code.ts'
import type { Answers } from '../model/answers.ts'
import type { BeyondFacts, Ipv6Facts } from '../model/facts.ts'

/** Said instead of an address: nothing is tried. */
export const noProbe = 'none'

/** Root servers k and f of DNS: every resolver of the world asks them, and they answer over TCP. */
const rootServers = ['/ip6/2001:7fd::1/tcp/53', '/ip6/2001:500:2f::f/tcp/53']

/**
 * Multiaddrs of what should answer when the router does its work: what the operator says, or the registries that were named and, where an
 * address is global, root servers of DNS. Nothing on an own link: it answers without a router.
 */
export const probeTargets = (
  said: string | undefined,
  { rootAddress, trust }: Pick<Answers, 'rootAddress' | 'trust'>,
  { addresses, gateway }: Ipv6Facts
): string[] => {
  if (said === noProbe || gateway === null) return []
  if (said !== undefined) return [said]
  const links = new Set(addresses.map(({ address }) => prefix64(address)))
  const invited =
    trust.kind === 'invite' ? decodeInvite(trust.line).registries.flatMap(({ addrs }) => addrs.slice(0, 1)) : []
  const registries = [...(rootAddress === null ? [] : [rootAddress]), ...invited]
  const isGlobal = addresses.some(({ address }) => parseAddr(`/ip6/${address}`)?.scope === 'global')
  return [
    ...registries.filter((target) => !links.has(prefix64(parseAddr(target)?.ip ?? ''))),
    ...(isGlobal ? rootServers : [])
  ]
}

/** A machine on the other side of the world answers within it. */
const answerMs = 3_000

/** Tries all at once. undefined: there is nothing to try. */
export const probe = async (
  targets: readonly string[],
  { signal, withinMs = answerMs }: { signal: AbortSignal; withinMs?: number }
): Promise<BeyondFacts | undefined> => {
  if (targets.length === 0) return undefined
  const done = new AbortController()
  const over = either(done.signal, within(withinMs, signal))
  try {
    const answered = await Promise.any(targets.map((target) => answers(target, over)))
    return { tried: targets, answered }
  } catch {
    return { tried: targets, answered: undefined }
  } finally {
    done.abort()
  }
}

/** Gives the target when somebody answers there: who refuses a connection is there, too. */
const answers = (target: string, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const { ip, port } = parseAddr(target) ?? {}
    if (ip === undefined || port === undefined) return reject(new Error(`${target} is no address with a port`))
    const socket = connect({ host: ip, port, family: 6, signal })
    socket.once('connect', () => {
      socket.destroy()
      resolve(target)
    })
    socket.once('error', (error) => (codeOf(error) === 'ECONNREFUSED' ? resolve(target) : reject(error)))
  })
