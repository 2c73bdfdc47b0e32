import { rmSync } from 'node:fs'
import { decodeInvite, type Invite } from '../../registry/objects/invite.ts'
import type { Registry } from '../../registry/registry.ts'
import { inBackground } from '../../runtime/background.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { readText } from '../../runtime/files/read-file.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { markJoined } from '../session/invited-history.ts'

/** A line of a few keys and addresses. */
const maxInviteBytes = 16 * 1024

/** The invite that this node joins with: from its file, or handed over while it runs. Kept in memory only. */
export class PendingInvite {
  readonly #file: string | undefined
  #invite: Invite | undefined
  #isNoted = false

  /** @throws ConfigError when the file is there and holds no invite, or the line is none */
  constructor(config: Config, line?: string) {
    this.#file = config.bootstrap.inviteFile
    if (this.#file !== undefined) this.#invite = fromFile(this.#file)
    else if (line !== undefined) this.#invite = decoded(line, 'the invite')
  }

  get invite(): Invite | undefined {
    return this.#invite
  }

  use(invite: Invite): void {
    this.#invite = invite
  }

  /**
   * An invite that a member was given by mistake, or that somebody has made up, says nothing about the log that it holds. Its file stays for
   * whom it is meant.
   */
  drop(logger: Logger): void {
    if (this.#invite === undefined) return
    this.#invite = undefined
    logger.warn({}, 'this node is a member already: the invite that it was given is not used')
  }

  /** A member by the history that invited it: that is noted, once, and the invite has done its work. */
  admitted(registry: Registry, logger: Logger): void {
    if (this.#invite !== undefined) this.#done(logger)
    if (this.#isNoted) return
    this.#isNoted = true
    inBackground(markJoined(registry), 'noting that this node is a member')
  }

  /** The seed goes, and the file with it. */
  #done(logger: Logger): void {
    this.#invite = undefined
    try {
      if (this.#file !== undefined) rmSync(this.#file, { force: true })
    } catch (error) {
      // A credential that the service manager mounted cannot be removed.
      const fields = { path: this.#file, error: reasonOf(error) }
      logger.warn(fields, 'the invite was used, but its file could not be removed: remove it')
    }
  }
}

const fromFile = (file: string): Invite | undefined => {
  let text: string
  try {
    text = readText(file, maxInviteBytes)
  } catch (error) {
    // It goes with the admission, while the configuration still names it.
    if (codeOf(error) === 'ENOENT') return undefined
    throw new ConfigError([`${file}: cannot be read: ${reasonOf(error)}`])
  }
  return decoded(text, file)
}

const decoded = (text: string, where: string): Invite => {
  try {
    return decodeInvite(text)
  } catch (error) {
    throw new ConfigError([`${where}: ${error instanceof Error ? error.message : String(error)}`])
  }
}
