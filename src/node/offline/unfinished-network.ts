import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { networkIdText } from '../../identity/network-id.ts'
import { openGenesis } from '../../registry/objects/genesis.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { isOwnerAlive, thisOwner } from '../../runtime/files/owner.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { dataFiles, filesOfNetwork } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'

type Paths = Pick<Config['paths'], 'data' | 'key'>

const withKey = 'made its key'
const maxNoteBytes = 256

/** Notes that a network is being made in a data folder in which none is, and whether the node's key is made with it. */
export const noteUnfinished = ({ data, key }: Paths): void => {
  const note = existsSync(key) ? '' : withKey
  writeFileSync(dataFiles(data).unfinished, `${thisOwner()}\n${note}\n`, { mode: 0o600, flush: true })
}

/** The network is whole, or whoever writes into the folder takes what is there for its own. */
export const dropNote = ({ data }: Pick<Paths, 'data'>): void => rmSync(dataFiles(data).unfinished, { force: true })

/**
 * Removes what a network that was not made to its end has left: nobody has seen it. Without a note nothing is removed.
 * @throws ConfigError while it is being made
 */
export const removeUnfinished = (paths: Paths, isOurs = false): void => {
  const { unfinished, store } = dataFiles(paths.data)
  if (!existsSync(unfinished)) return
  const [owner = '', note] = readText(unfinished, maxNoteBytes).split('\n')
  if (!isOurs && isOwnerAlive(owner)) {
    throw new ConfigError([
      `process ${owner.split(' ')[0]} is making a network in ${paths.data}: wait until it has ended`
    ])
  }
  const made = [...['', '-wal', '-shm', '-journal'].map((end) => store + end), ...filesOfNetwork(paths.data)]
  for (const path of note === withKey ? [...made, paths.key] : made) rmSync(path, { force: true })
  dropNote(paths)
}

/**
 * Refuses a folder in which a network was begun and not finished. One that the configuration names is whole: its id is written down last.
 * @throws ConfigError
 */
export const refuseUnfinished = ({ paths, networkId }: Pick<Config, 'paths' | 'networkId'>): void => {
  const { unfinished, store } = dataFiles(paths.data)
  if (!existsSync(unfinished)) return
  const genesis = networkId === undefined || !existsSync(store) ? undefined : peekGenesis(store)
  if (genesis === undefined || networkIdText(openGenesis(genesis).hash) !== networkId) {
    throw new ConfigError([
      `a network was begun in ${paths.data} and not made to its end: call \`trustnet init\` again as before, which makes it anew`
    ])
  }
  dropNote(paths)
}
