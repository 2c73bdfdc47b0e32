import { readFileSync } from 'node:fs'
import { resolverAddress } from '../../address/spelling.ts'
import type { Config } from '../config/schema.ts'

/** Servers behind systemd-resolved, where it runs. Those on another port than 53, as a node's own, are not among them. */
const uplinks = '/run/systemd/resolve/resolv.conf'

/**
 * Resolvers that this node asks; none: those of the system. Where names of members are answered here, systemd-resolved may lead questions about
 * the domain back to this node, so it asks those behind.
 */
export const serversToAsk = ({ bootstrap: { dnsServers }, dns: { listen } }: Config): readonly string[] =>
  dnsServers.length > 0 || listen === undefined ? dnsServers : serversIn(uplinks)

/** Those of a file in the form of resolv.conf. */
export const serversIn = (file: string): string[] => {
  try {
    const lines = readFileSync(file, 'utf8').matchAll(/^nameserver[ \t]+(\S+)/gm)
    return [...lines].flatMap(([, server = '']) => {
      try {
        return [resolverAddress(server)]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
