import { existsSync, rmSync } from 'node:fs'
import { loadOrCreateKey } from '../../identity/key-file.ts'
import type { SigningKey } from '../../identity/keys.ts'
import { peekGenesis } from '../../registry/registry.ts'
import { KeyFileError } from '../../runtime/errors.ts'
import { dataFiles } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { refuseUnfinished } from '../offline/unfinished-network.ts'
import type { PendingInvite } from './pending-invite.ts'

export interface OwnKey {
  readonly key: SigningKey
  /** Removes a key that this start has made and that nobody has heard of: a start that fails leaves none behind. */
  readonly dropNew: () => void
}

/**
 * The key of this node, made at its first start. Where a store says that there was an earlier start, a new key would be another node: it is
 * made for an invite alone, which lets that node in.
 * @throws KeyFileError; ConfigError where a network was begun and not finished; and as openDatabase
 */
export function ownKey(config: Config, { invite }: Pick<PendingInvite, 'invite'>): OwnKey {
  const { paths, role } = config
  refuseUnfinished(config)
  const { store } = dataFiles(paths.data)
  const isThere = existsSync(paths.key)
  const dropNew = (): void => {
    if (!isThere && !existsSync(store)) rmSync(paths.key, { force: true })
  }
  if (isThere || !existsSync(store)) return { key: loadOrCreateKey(paths.key), dropNew }
  if (peekGenesis(store) === undefined || (invite !== undefined && role !== 'root'))
    return { key: loadOrCreateKey(paths.key), dropNew }
  const otherwise =
    role === 'root'
      ? 'when it is lost, `trustnet registry recover --kit FILE` makes this machine the root with a new one'
      : 'when it is lost, ask the root for an invite (`trustnet invite --replace NAME` gives it the place of the lost node) and run `trustnet join LINE`'
  throw new KeyFileError(
    `key file ${paths.key} is not there, but ${store} is: this node has been a member, and with a new key it would be another one. ` +
      `Put the file back; ${otherwise}. Nothing was changed`
  )
}
