import { readFile } from 'node:fs/promises'
import { formatIp6, scopeOf } from '../../address/ipv6.ts'
import { codeOf } from '../../runtime/error-code.ts'

/** The next machine on the way to everybody else. */
export interface Router {
  /** With its interface where that is needed: `fe80::1%eth0`. */
  readonly address: string
  readonly device: string
}

const table = '/proc/net/ipv6_route'
/** RTF_UP and RTF_GATEWAY of linux/route.h. */
const viaRouter = 0x3

interface Route extends Router {
  readonly metric: number
}

/** Lines of `/proc/net/ipv6_route`: destination, length, source, length, next hop, metric, two counters, flags, device. */
export const parseDefaultRouters = (text: string): Router[] =>
  text
    .split('\n')
    .flatMap((line): Route[] => {
      const [to, length, , , via = '', metric = '', , , flags = '', device = ''] = line.trim().split(/\s+/)
      if (to !== '0'.repeat(32) || length !== '00' || device === '' || !/^[0-9a-f]{32}$/.test(via)) return []
      if ((Number.parseInt(flags, 16) & viaRouter) !== viaRouter) return []
      const ip = formatIp6(Uint8Array.from(Buffer.from(via, 'hex')))
      const address = scopeOf(ip) === 'link-local' ? `${ip}%${device}` : ip
      return [{ address, device, metric: Number.parseInt(metric, 16) }]
    })
    .toSorted((a, b) => a.metric - b.metric)
    .map(({ address, device }) => ({ address, device }))

/** Default routers of this machine, the one that it takes first; none where the system has no such table. */
export const defaultRouters = async (path: string = table): Promise<Router[]> => {
  try {
    return parseDefaultRouters(await readFile(path, 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
