import { inBackground } from '../runtime/background.ts'
import type { Running, Supervisor } from '../runtime/supervisor.ts'
import { type InterfaceAddress, interfaceAddresses } from './interfaces.ts'
import { scopeOf } from './multiaddr.ts'
import { prefixMatcher } from './prefix.ts'

export type AnnounceScope = 'global' | 'ula' | 'loopback'

export interface ChooseInit {
  readonly port: number
  /** Scopes that may be announced. */
  readonly allow: readonly AnnounceScope[]
  /** The host that is listened on; when it is one address, only that one can be announced. */
  readonly host?: string
  /** Names of the interfaces whose addresses may be announced, `*` for any end; none: all of them. */
  readonly interfaces?: readonly string[]
  /** Prefixes in which they lie; none: any. */
  readonly prefixes?: readonly string[]
}

/** A node record holds no more. */
const maxAddresses = 8

const order: readonly string[] = ['global', 'ula', 'loopback'] satisfies AnnounceScope[]

/** Bridges of containers and virtual machines: their addresses reach this machine only, so they come last. */
const localBridge = /^(docker|br-|veth|virbr|cni|flannel|podman|lxc)/

const rank = ({ address, device }: InterfaceAddress): number =>
  order.indexOf(scopeOf(address)) * 2 + (localBridge.test(device) ? 1 : 0)

const isNamed = (device: string, name: string): boolean =>
  name.endsWith('*') ? device.startsWith(name.slice(0, -1)) : device === name

/** The addresses worth telling others, best first, as multiaddrs: stable ones of the allowed scopes, at most 8. */
export const chooseAddresses = (addresses: readonly InterfaceAddress[], init: ChooseInit): string[] => {
  const any = init.host === undefined || init.host === '::'
  const { interfaces = [], prefixes = [] } = init
  const isInPrefix = prefixes.length === 0 ? () => true : prefixMatcher(prefixes)
  const usable = addresses.filter(({ address, device, temporary, deprecated, tentative }) => {
    const scope = scopeOf(address)
    if (temporary || deprecated || tentative || (!any && address !== init.host)) return false
    if (!isInPrefix(address) || (interfaces.length > 0 && !interfaces.some((name) => isNamed(device, name))))
      return false
    return init.allow.some((allowed) => allowed === scope)
  })
  const sorted = usable.toSorted((a, b) => rank(a) - rank(b) || (a.address < b.address ? -1 : 1))
  return [...new Set(sorted.map(({ address }) => `/ip6/${address}/tcp/${init.port}`))].slice(0, maxAddresses)
}

/** Interfaces on whose links there may be other machines: those with a link-local address, and of bridges of this machine those that are named. */
export const linkDevices = (addresses: readonly InterfaceAddress[], interfaces: readonly string[]): string[] => {
  const found = addresses.filter(({ address, tentative }) => !tentative && scopeOf(address) === 'link-local')
  const isWanted = (device: string): boolean =>
    interfaces.length === 0 ? !localBridge.test(device) : interfaces.some((name) => isNamed(device, name))
  return [...new Set(found.map(({ device }) => device))].filter(isWanted)
}

export interface AddressWatchInit extends ChooseInit {
  readonly onChange: (addresses: readonly string[]) => void
  readonly read?: () => Promise<InterfaceAddress[]>
}

/** The kernel tells of address changes over netlink only, which Node cannot read. */
const lookMs = 5_000

/** Looks at the interfaces now and then, and says when the addresses to announce are others (a renumbered prefix). */
export class AddressWatch implements Disposable {
  readonly #init: AddressWatchInit
  #current: readonly string[] = []
  #looking: Running | undefined

  constructor(init: AddressWatchInit) {
    this.#init = init
  }

  /** The addresses to announce, best first. */
  get current(): readonly string[] {
    return this.#current
  }

  /** Resolves with the first look; `onChange` is called for later ones only. */
  async start(services: Supervisor): Promise<readonly string[]> {
    this.#current = await this.#look()
    this.#looking ??= services.run('addresses', { everyMs: lookMs, round: () => this.check() })
    return this.#current
  }

  /** Looks now. */
  async check(): Promise<void> {
    const found = await this.#look()
    if (this.#looking === undefined || found.join() === this.#current.join()) return
    this.#current = found
    this.#init.onChange(found)
  }

  stop(): void {
    inBackground(this.#looking?.stop(), 'ending the look at the interfaces')
    this.#looking = undefined
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  async #look(): Promise<string[]> {
    return chooseAddresses(await (this.#init.read ?? interfaceAddresses)(), this.#init)
  }
}
