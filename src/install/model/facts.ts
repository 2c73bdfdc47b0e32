import type { InterfaceAddress } from '../../address/interfaces.ts'

/** The machine as it was read: no judgement. null is "could not be read". */
export interface MachineFacts {
  readonly uid: number
  readonly os: OsFacts
  readonly memoryBytes: number
  /** Free on the file system that will hold program and data. */
  readonly diskFreeBytes: number | null
  /** systemd is PID 1. */
  readonly systemd: boolean
  /** A container of some kind: its name. */
  readonly container: string | null
  readonly ipv6: Ipv6Facts
  /** Resolvers of /etc/resolv.conf. */
  readonly resolvers: readonly string[]
  /** Programs that listen, by port. */
  readonly ports: ReadonlyMap<number, string>
  readonly firewall: FirewallFacts
  /** Programs that a deployment needs, by name, and what they answer to --version. */
  readonly programs: ReadonlyMap<string, string>
}

export interface OsFacts {
  readonly platform: string
  readonly arch: string
  /** `debian`, `alpine`, … of /etc/os-release; also what it is like. */
  readonly id: string
  readonly like: readonly string[]
  readonly name: string
  readonly kernel: string
  readonly libc: 'glibc' | 'musl'
}

export interface Ipv6Facts {
  /** The kernel knows IPv6 at all. */
  readonly kernel: boolean
  /** Sysctls that turn it off, of `all`, `default` and each interface. */
  readonly disabled: readonly string[]
  /** /proc/sys can be written. */
  readonly writable: boolean
  readonly addresses: readonly InterfaceAddress[]
  readonly gateway: { readonly via: string; readonly device: string } | null
}

/** Multiaddrs that were tried beyond the router, and the first that answered. */
export interface BeyondFacts {
  readonly tried: readonly string[]
  readonly answered: string | undefined
}

export interface FirewallFacts {
  readonly tool: 'none' | 'nftables' | 'ufw' | 'firewalld'
  /** True when it drops what no rule lets in. */
  readonly dropsInbound: boolean
  /** TCP ports that a rule opens, as far as that can be told. */
  readonly open: readonly number[]
  /** Chain of nftables: family, table and name of the chain that drops. */
  readonly chain: readonly string[]
}
