import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { chooseAddresses } from '../../address/announced-addresses.ts'
import { interfaceAddresses } from '../../address/interfaces.ts'
import { parseAddr } from '../../address/multiaddr.ts'
import { wantedRecords, zoneLine } from '../../dns/records.ts'
import { lookupTnr } from '../../dns/tnr.ts'
import { createKey, loadOrCreateKey } from '../../identity/key-file.ts'
import { SigningKey } from '../../identity/keys.ts'
import { networkFingerprint, networkIdText } from '../../identity/network-id.ts'
import { createNetwork } from '../../registry/create-network.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { dataFiles, filesOfNetwork } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { newPassphrase, writeRecoveryKit } from './recovery-kit.ts'
import { dropNote, noteUnfinished, removeUnfinished } from './unfinished-network.ts'

export interface CreateNetworkOptions {
  /** For people; default: the domain. */
  networkName?: string
  /** Make it also when `tnr.<domain>` answers already. */
  newNetwork?: boolean
  /** Passphrase of the recovery kit, chosen by the operator; otherwise one is made and returned. */
  passphrase?: string
  /** Both authority keys go into one kit. */
  oneKit?: boolean
  /** Breaks it off as long as nothing was made. */
  signal?: AbortSignal
  /** Called with the id of the network when all of it is on the disk, and before it counts as made: writes down what its start needs. */
  onMade?: (networkId: string) => void | Promise<void>
}

export interface CreatedNetwork {
  networkId: string
  fingerprint: string
  /** Holds the authority. */
  recoveryKitPath: string
  /** Holds the next authority, for when the authority itself is lost or stolen; with one kit the same file. */
  nextRecoveryKitPath: string
  /** Passphrase of the recovery kits, where it was made here. */
  passphrase?: string
  /** File that keeps the passphrase until it was shown: the caller removes it then. */
  passphrasePath?: string
  /** Lines of a zone file that let others find the root; empty: this machine has no stable address yet. */
  records: string[]
}

/** An encrypted kit may be tried offline: what is shorter is found. */
const minPassphraseChars = 16

/** Greatest size of all live documents. */
const documentBytes = 64 * 1024 * 1024

/**
 * Makes a network on this machine: keys, genesis, the root's store, and two encrypted recovery kits, with the authority and the next one.
 *
 * @throws ConfigError when there is a network already, here or behind `tnr.<domain>`
 */
export async function createNetworkHere(config: Config, options: CreateNetworkOptions = {}): Promise<CreatedNetwork> {
  const { domain, paths, name } = config
  if (domain === undefined) throw new ConfigError(['a network has a domain: give it with --domain'])
  const files = dataFiles(paths.data)
  refuseShortPassphrase(options.passphrase)
  removeUnfinished(config)
  refuseSecondNetwork(config, files, options)
  if (options.newNetwork !== true) await refuseLiveNetwork(domain, config, options.signal)
  takeFolder(config, files, options)
  const authority = SigningKey.generate()
  const nextAuthority = SigningKey.generate()
  try {
    const logKey = createKey(files.logKey)
    const operatorKey = createKey(files.operatorKey)
    const genesis = await createNetwork({
      path: files.store,
      domain,
      name: options.networkName ?? domain,
      policy: { admission: config.admission.policy, membershipMs: config.admission.membershipMs, documentBytes },
      authority,
      nextAuthorityDigest: createHash('sha256').update(nextAuthority.publicKey).digest(),
      founder: {
        key: loadOrCreateKey(paths.key),
        name,
        logKey,
        operator: { publicKey: operatorKey.publicKey, name }
      }
    })
    const networkId = networkIdText(genesis.hash)
    const kits = writeKits(files, { authority, nextAuthority }, networkId, options)
    const records = await recordsFor(domain, config)
    await options.onMade?.(networkId)
    dropNote(paths)
    return { networkId, fingerprint: networkFingerprint(genesis.hash), ...kits, records }
  } catch (error) {
    removeUnfinished(config, true)
    throw error
  }
}

/** Takes the folder for this process, if nobody has made a network there while it asked who is behind the domain. */
function takeFolder(config: Config, files: ReturnType<typeof dataFiles>, options: CreateNetworkOptions): void {
  const { paths } = config
  makeFolder(paths.data, 0o700)
  noteUnfinished(paths)
  try {
    refuseSecondNetwork(config, files, options)
  } catch (error) {
    dropNote(paths)
    throw error
  }
}

function refuseShortPassphrase(passphrase: string | undefined): void {
  if (passphrase === undefined || passphrase.length >= minPassphraseChars) return
  throw new ConfigError([`the passphrase of the recovery kit is too short: ${minPassphraseChars} characters at least`])
}

/** The passphrase is among what is shown when it was made here. */
function writeKits(
  files: ReturnType<typeof dataFiles>,
  { authority, nextAuthority }: { authority: SigningKey; nextAuthority: SigningKey },
  networkId: string,
  options: CreateNetworkOptions
): Omit<CreatedNetwork, 'networkId' | 'fingerprint' | 'records'> {
  const passphrase = options.passphrase ?? newPassphrase()
  if (options.passphrase === undefined) writeFileSync(files.passphrase, `${passphrase}\n`, { mode: 0o600, flush: true })
  const { recoveryKit: own, nextRecoveryKit } = files
  const next = options.oneKit === true ? own : nextRecoveryKit
  if (next !== own) writeRecoveryKit(next, { nextAuthority }, passphrase, networkId)
  // Last: a network without it is not whole.
  writeRecoveryKit(own, next === own ? { authority, nextAuthority } : { authority }, passphrase, networkId)
  const shown = options.passphrase === undefined ? { passphrase, passphrasePath: files.passphrase } : {}
  return { recoveryKitPath: own, nextRecoveryKitPath: next, ...shown }
}

async function recordsFor(domain: string, { announce, listen }: Config): Promise<string[]> {
  const chosen = chooseAddresses(await interfaceAddresses(), {
    ...announce,
    port: listen.port,
    host: listen.host
  })
  const addresses = (announce.addresses ?? chosen)
    .map((address) => parseAddr(address)?.ip)
    .filter((ip) => ip !== undefined)
  return wantedRecords({ domain, addresses: [...new Set(addresses)] }).map(zoneLine)
}

function refuseSecondNetwork(
  { networkId, paths }: Config,
  files: ReturnType<typeof dataFiles>,
  { newNetwork }: CreateNetworkOptions
): void {
  if (existsSync(files.store) && peekGenesis(files.store) !== undefined) {
    throw new ConfigError([
      `${files.store} holds a network already: choose another data folder with --data, or move that one away${unseen(files)}`
    ])
  }
  for (const path of filesOfNetwork(paths.data)) {
    if (existsSync(path))
      throw new ConfigError([
        `${path} is there already, of an earlier network or of a try that was broken off: move it away first; it cannot be made again`
      ])
  }
  if (networkId !== undefined && newNetwork !== true) {
    throw new ConfigError([
      `the configuration names the network ${networkId} already: start this node as a member of it, take networkId out of the file, or add --new-network for another network in its place`
    ])
  }
}

/** Tells where the passphrase is that the first try could not show. */
const unseen = ({ passphrase }: ReturnType<typeof dataFiles>): string =>
  existsSync(passphrase) ? `; the passphrase of its recovery kit is still in ${passphrase}` : ''

/** An address without a network behind it is one that was published in advance. */
async function refuseLiveNetwork(domain: string, config: Config, signal?: AbortSignal): Promise<void> {
  const { dnsServers: servers, dnsTimeoutMs: timeoutMs } = config.bootstrap
  const allowLoopback = config.announce.allow.includes('loopback')
  const answer = await lookupTnr(domain, { servers, timeoutMs, allowLoopback, signal })
  if (answer.kind !== 'found') return
  // libp2p is loaded only for this question.
  const { networkAt } = await import('../bootstrap/network-probe.ts')
  const addresses = answer.addresses.map(({ address }) => address)
  const networkId = await networkAt(config, addresses, signal)
  signal?.throwIfAborted()
  if (networkId === undefined) return
  throw new ConfigError([
    `tnr.${domain} (${addresses.join(', ')}) is a live network already, ${networkIdText(networkId)}: ` +
      'join it with `trustnet join LINE`, or make a second one with --new-network'
  ])
}
