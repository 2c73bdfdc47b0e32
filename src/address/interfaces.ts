import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { codeOf } from '../runtime/error-code.ts'
import { formatIp6, parseIp6 } from './multiaddr.ts'

/** One IPv6 address of this machine. */
export interface InterfaceAddress {
  readonly address: string
  readonly device: string
  /** Privacy address (RFC 8981): gone tomorrow. */
  readonly temporary: boolean
  /** No new connections should use it. */
  readonly deprecated: boolean
  /** Duplicate address detection goes on, or found a duplicate. */
  readonly tentative: boolean
  /** It found one: another machine of the link has the address. */
  readonly duplicate: boolean
}

/** IFA_F_* of linux/if_addr.h. */
const flag = { temporary: 0x01, dadFailed: 0x08, deprecated: 0x20, tentative: 0x40 }

const linuxTable = '/proc/net/if_inet6'

/** Lines of `/proc/net/if_inet6`: address, index, prefix length, scope, flags, device. */
export const parseIfInet6 = (text: string): InterfaceAddress[] =>
  text.split('\n').flatMap((line) => {
    const [hex = '', , , , flagText = '', device = ''] = line.trim().split(/\s+/)
    if (!/^[0-9a-f]{32}$/.test(hex) || device === '') return []
    const flags = Number.parseInt(flagText, 16)
    return [
      {
        address: formatIp6(Uint8Array.from(Buffer.from(hex, 'hex'))),
        device,
        temporary: (flags & flag.temporary) !== 0,
        deprecated: (flags & flag.deprecated) !== 0,
        tentative: (flags & (flag.tentative | flag.dadFailed)) !== 0,
        duplicate: (flags & flag.dadFailed) !== 0
      }
    ]
  })

/** Addresses as Node lists them, for systems without that table: without flags, so that all of them count as stable. */
const fromOs = (): InterfaceAddress[] =>
  Object.entries(networkInterfaces()).flatMap(([device, list]) =>
    (list ?? []).flatMap(({ family, address }) => {
      const bytes = family === 'IPv6' ? parseIp6(address) : undefined
      if (bytes === undefined) return []
      return [
        { address: formatIp6(bytes), device, temporary: false, deprecated: false, tentative: false, duplicate: false }
      ]
    })
  )

/** All IPv6 addresses of this machine; empty when it has no IPv6. Rejects when it cannot be asked now: no descriptor is free. */
export const interfaceAddresses = async (table: string = linuxTable): Promise<InterfaceAddress[]> => {
  try {
    return parseIfInet6(await readFile(table, 'utf8'))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return fromOs()
  }
}
