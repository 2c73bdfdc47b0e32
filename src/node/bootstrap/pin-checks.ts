import { existsSync } from 'node:fs'
import { networkFingerprint, networkIdText, parseNetworkId } from '../../identity/network-id.ts'
import { dataFiles, filesOfNetwork } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'

/** Network id of the configuration. */
export const pinOf = ({ networkId }: Config): Uint8Array | undefined =>
  networkId === undefined ? undefined : parseNetworkId(networkId)

/** A network for the log. */
export const networkFields = (id: Uint8Array): { network: string; fingerprint: string } => ({
  network: networkIdText(id),
  fingerprint: networkFingerprint(id)
})

const storeGone =
  'the network lives, its store is gone. Put the file or its disk back, or bring the newest backup back with ' +
  '`trustnet registry restore FILE`; never make a new network in its place'

/** A first start must know how to recognise its network, or be told to take the first one. @throws ConfigError */
export function requirePin(config: Config, pin: Uint8Array | undefined): void {
  const { store, logKey, recoveryKit } = dataFiles(config.paths.data)
  const isRoot = config.role === 'root'
  // Another member fetches its store anew, and may have the key of an operator; a candidate has the log key from its root.
  const others = config.root.store === undefined ? [logKey, recoveryKit] : [recoveryKit]
  const left = (isRoot ? filesOfNetwork(config.paths.data) : others).find((path) => existsSync(path))
  const gone = `${store} is ${existsSync(store) ? 'empty' : 'not there'}`
  if (left !== undefined) throw new ConfigError([`${gone}, but ${left} is there: ${storeGone}`])
  if (isRoot && pin !== undefined) {
    throw new ConfigError([`${gone}, and the configuration names ${described(pin)}: ${storeGone}`])
  }
  if (isRoot) {
    throw new ConfigError([`${config.paths.data} has no network yet: make one with \`trustnet init --domain DOMAIN\``])
  }
  if (pin === undefined && !config.bootstrap.trustOnFirstUse && config.network.pins.length === 0) {
    const { inviteFile } = config.bootstrap
    // One that was there is read by now: it was another mistake, and has its own words.
    if (inviteFile !== undefined && !existsSync(inviteFile)) {
      throw new ConfigError([
        `${inviteFile}, which bootstrap.inviteFile names, is not there: put the invite there, or correct the path`
      ])
    }
    throw new ConfigError([
      'nothing says which network is the right one: give an invite (`trustnet join LINE`), --network ID, or --trust-on-first-use'
    ])
  }
}

/** The stored network must be the pinned one. @throws ConfigError with both fingerprints; nothing is changed */
export function requireSameNetwork(config: Config, pin: Uint8Array | undefined, held: Uint8Array): void {
  if (pin === undefined || Buffer.compare(pin, held) === 0) return
  throw new ConfigError([
    `${config.paths.data} holds the network ${described(held)}, but the pin says ${described(pin)}: ` +
      'nothing was changed. Use another data folder, or correct the pin'
  ])
}

const described = (id: Uint8Array): string => `${networkIdText(id)} (${networkFingerprint(id)})`
