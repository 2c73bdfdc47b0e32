import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { scopeOf } from '../../address/multiaddr.ts'
import { prefixMatcher } from '../../address/prefix.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { InstallError, OperatorError } from '../errors.ts'
import type { Ran } from '../model/tools.ts'
import { removeAt, writeAt } from './safe-files.ts'

/** A node's /128 in the /48 of its network. */
export interface OwnAddress {
  readonly address: string
  readonly prefix: string
}

export interface AddressTools {
  /** Runs a program of the system to its end, however it ends. */
  readonly run: (command: readonly string[]) => Promise<Ran>
  /** Something that the operator has to know. */
  readonly tell: (text: string) => void
  /** Folder of the units that are made here. */
  readonly units?: string
}

export interface AssignOptions extends AddressTools {
  readonly device: string
  /** It comes back at each boot. */
  readonly persist: boolean
}

const systemUnits = '/etc/systemd/system'
const prefixShape = /^fd[0-9a-f]{0,2}:[0-9a-f:]+\/48$/
/** Kernel limit: IFNAMSIZ without its closing zero. A name never begins with -, so ip cannot take it for an option. */
const interfaceName = /^[A-Za-z0-9_.:@][A-Za-z0-9_.:@-]{0,14}$/

/** Checks the word of a process, which is carried out as root: nothing but a unique local address inside of its /48 is taken. @throws InstallError */
const checked = ({ address, prefix }: OwnAddress): void => {
  if (scopeOf(address) === 'ula' && prefixShape.test(prefix) && prefixMatcher([prefix])(address)) return
  throw new InstallError('the process names no unique local address of a network: look at `trustnet address`.')
}

const addressCommand = (address: string, device: string): string[] =>
  // nodad: nobody else can have the address, and it is usable at once. `replace` makes it the same twice.
  ['ip', '-6', 'address', 'replace', `${address}/128`, 'dev', device, 'nodad']

const routeCommand = ({ address, prefix }: OwnAddress, device: string): string[] => [
  'ip',
  '-6',
  'route',
  'replace',
  prefix,
  'dev',
  device,
  'proto',
  'static',
  'src',
  address
]

/** One for each network of a machine. */
export const addressUnit = ({ prefix }: OwnAddress): string =>
  `trustnet-address-${prefix.split('::', 1)[0]?.replaceAll(':', '-')}.service`

/**
 * Text of the unit that brings the address back: after a boot, and after whatever manages the interfaces was started anew, which takes away
 * what it did not add itself. An interface that comes later is waited for.
 */
export const addressUnitText = (own: OwnAddress, device: string, isRouted: boolean): string => {
  const managers = 'systemd-networkd.service NetworkManager.service networking.service'
  const commands = [addressCommand(own.address, device), ...(isRouted ? [routeCommand(own, device)] : [])]
  return `[Unit]
Description=Address of a TrustNet node in the /48 of its network
Documentation=man:trustnet(1)
Wants=network-online.target
After=network-online.target ${managers}
PartOf=${managers}
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec '${commands.map((command) => command.join(' ')).join('; ')}'
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
`
}

/** Puts the own address on an interface, and makes the network's /48 on-link there. @throws OperatorError, InstallError */
export const assignAddress = async (own: OwnAddress, options: AssignOptions): Promise<void> => {
  const { device, persist, tell } = options
  if (!interfaceName.test(device))
    throw new OperatorError(`'${device}' is no name of an interface: \`ip link\` lists them.`)
  checked(own)
  if (persist) requireSystemd()
  const elsewhere = (await devicesOf(own.address)).find((each) => each !== device)
  if (elsewhere !== undefined)
    throw new OperatorError(`${own.address} is on ${elsewhere} already: \`trustnet address --remove\` takes it away.`)
  await forgetFormer(own, options)
  await carryOut(addressCommand(own.address, device), options)
  const isRouted = await addRoute(own, options)
  if (persist) await keep(own, isRouted, options)
  const isKept = keptAddress(own, options) !== undefined
  const until = isKept ? `${addressUnit(own)} brings it back` : 'it is gone after a reboot (--persist keeps it)'
  tell(`${own.address}/128 is on ${device}; ${until}.`)
}

/** Takes the address, its route and its unit away. false: none was here. @throws InstallError */
export const removeAddress = async (own: OwnAddress, tools: AddressTools): Promise<boolean> => {
  checked(own)
  const former = keptAddress(own, tools)
  if (former !== undefined) {
    await tools.run(['systemctl', 'disable', '--quiet', '--now', addressUnit(own)])
    removeAt(unitPath(own, tools))
    await tools.run(['systemctl', 'daemon-reload'])
  }
  let isFound = former !== undefined
  for (const address of new Set([own.address, former ?? own.address]))
    if (await takeAway({ ...own, address }, tools)) isFound = true
  return isFound
}

const unitPath = (own: OwnAddress, { units = systemUnits }: AddressTools): string => join(units, addressUnit(own))

/** Address that the unit brings back; undefined: there is no unit. */
const keptAddress = (own: OwnAddress, tools: AddressTools): string | undefined => {
  const path = unitPath(own, tools)
  if (!existsSync(path)) return undefined
  const [, address = ''] = /address replace ([0-9a-f:]+)\/128/.exec(readText(path, 65_536)) ?? []
  return prefixMatcher([own.prefix])(address) ? address : own.address
}

/** A node whose key has changed has another address: the one that was kept goes. */
const forgetFormer = async (own: OwnAddress, tools: AddressTools): Promise<void> => {
  const former = keptAddress(own, tools)
  if (former === undefined || former === own.address) return
  await removeAddress({ ...own, address: former }, tools)
  tools.tell(`${former}, the address of another key, is gone.`)
}

const devicesOf = async (address: string): Promise<string[]> =>
  (await interfaceAddresses()).filter((each) => each.address === address).map(({ device }) => device)

const takeAway = async (own: OwnAddress, tools: AddressTools): Promise<boolean> => {
  const devices = await devicesOf(own.address)
  for (const device of devices) {
    const routes = await routesTo(own.prefix, tools)
    if (routes.some((route) => isOurs(route, own, device)))
      await carryOut(['ip', '-6', 'route', 'delete', own.prefix, 'dev', device, 'proto', 'static'], tools)
    await carryOut(['ip', '-6', 'address', 'delete', `${own.address}/128`, 'dev', device], tools)
  }
  return devices.length > 0
}

/** Lines of `ip route`, of this prefix alone. */
const routesTo = async (prefix: string, { run }: AddressTools): Promise<string[]> => {
  const { out } = await run(['ip', '-6', 'route', 'show', 'exact', prefix])
  return out.split('\n').filter((line) => line.trim() !== '')
}

const isOurs = (route: string, { address }: OwnAddress, device: string): boolean =>
  ` ${route} `.includes(` dev ${device} `) && ` ${route} `.includes(` src ${address} `)

/** A route that somebody else made stays. */
const addRoute = async (own: OwnAddress, options: AssignOptions): Promise<boolean> => {
  const { device, tell } = options
  if (device === 'lo') {
    tell(`lo leads to no other machine: ${own.prefix} is not routed. Name the interface of the link instead.`)
    return false
  }
  const other = (await routesTo(own.prefix, options)).find((route) => !isOurs(route, own, device))
  if (other !== undefined) {
    tell(`${own.prefix} is routed already and stays so: ${other.trim()}`)
    return false
  }
  await carryOut(routeCommand(own, device), options)
  tell(
    `${own.prefix} is on the link of ${device}: members there reach each other at their addresses, nobody else does.`
  )
  return true
}

const requireSystemd = (): void => {
  if (!existsSync('/run/systemd/system'))
    throw new OperatorError(
      'systemd does not run here, and --persist makes a unit of it: leave it out, and have the address and the route added where this machine sets up its network (docs/ula.md).'
    )
  if (process.getuid?.() !== 0) throw new OperatorError('--persist writes a unit of systemd: run it as root.')
}

const keep = async (own: OwnAddress, isRouted: boolean, options: AssignOptions): Promise<void> => {
  const unit = addressUnit(own)
  writeAt(unitPath(own, options), addressUnitText(own, options.device, isRouted), 0o644, { uid: 0, gid: 0 })
  await carryOut(['systemctl', 'daemon-reload'], options)
  await carryOut(['systemctl', 'enable', '--quiet', unit], options)
  await carryOut(['systemctl', 'restart', unit], options)
}

/** @throws InstallError with what the program said */
const carryOut = async (command: readonly string[], { run }: AddressTools): Promise<void> => {
  const { code, err } = await run(command)
  if (code === 0) return
  const hint = /permitted/i.test(err) ? ': run it as root (CAP_NET_ADMIN)' : ''
  throw new InstallError(`${command.join(' ')} failed: ${err.trim()}${hint}`)
}
