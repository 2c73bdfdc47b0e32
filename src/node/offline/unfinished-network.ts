import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { networkIdText } from '../../identity/network-id.ts'
import { openGenesis } from '../../registry/objects/genesis.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { isOwnerAlive, thisOwner } from '../../runtime/files/owner.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { dataFiles, filesOfNetwork } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'

type Paths = Pick<Config['paths'], 'data' | 'key'>

const withKey = 'made its key'
const maxNoteBytes = 256

/**
 * Notes that a network is being made in a data folder in which none is, and whether the node's key is made with it.
 * @throws ConfigError where another process has begun one
 */
export const noteUnfinished = ({ data, key }: Paths): void => {
  const note = existsSync(key) ? '' : withKey
  try {
    writeFileSync(dataFiles(data).unfinished, `${thisOwner()}\n${note}\n`, { mode: 0o600, flush: true, flag: 'wx' })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw beingMade(data, 'another process')
    rmSync(dataFiles(data).unfinished, { force: true })
    throw error
  }
}

const beingMade = (data: string, who: string): ConfigError =>
  new ConfigError([`${who} is making a network in ${data}: wait until it has ended`])

/** @throws ConfigError while another process makes a network in the folder */
export const refuseBeingMade = ({ data }: Pick<Paths, 'data'>): void => {
  const { unfinished } = dataFiles(data)
  const [owner = ''] = existsSync(unfinished) ? readText(unfinished, maxNoteBytes).split('\n') : []
  if (isOwnerAlive(owner)) throw beingMade(data, `process ${owner.split(' ')[0]}`)
}

/** The network is whole, or whoever writes into the folder takes what is there for its own. */
export const dropNote = ({ data }: Pick<Paths, 'data'>): void => rmSync(dataFiles(data).unfinished, { force: true })

/** Tells whether the configuration names the network that is in the folder: its id is written down last. */
const isWhole = ({ paths, networkId }: Pick<Config, 'paths' | 'networkId'>): boolean => {
  const { store } = dataFiles(paths.data)
  const genesis = networkId === undefined || !existsSync(store) ? undefined : peekGenesis(store)
  return genesis !== undefined && networkIdText(openGenesis(genesis).hash) === networkId
}

/**
 * Removes what a network that was not made to its end has left: nobody has seen it. Without a note nothing is removed, nor of one that is whole.
 * @throws ConfigError while it is being made
 */
export const removeUnfinished = (config: Pick<Config, 'paths' | 'networkId'>, isOurs = false): void => {
  const { paths } = config
  const { unfinished, store } = dataFiles(paths.data)
  if (!existsSync(unfinished)) return
  if (!isOurs) refuseBeingMade(paths)
  const [, note] = readText(unfinished, maxNoteBytes).split('\n')
  if (isOurs || !isWhole(config)) {
    const made = [...['', '-wal', '-shm', '-journal'].map((end) => store + end), ...filesOfNetwork(paths.data)]
    for (const path of note === withKey ? [...made, paths.key] : made) rmSync(path, { force: true })
  }
  dropNote(paths)
}

/**
 * Refuses a folder in which a network was begun and not finished.
 * @throws ConfigError
 */
export const refuseUnfinished = (config: Pick<Config, 'paths' | 'networkId'>): void => {
  const { paths } = config
  if (!existsSync(dataFiles(paths.data).unfinished)) return
  if (!isWhole(config)) {
    throw new ConfigError([
      `a network was begun in ${paths.data} and not made to its end: call \`trustnet init\` again as before, which makes it anew`
    ])
  }
  dropNote(paths)
}
