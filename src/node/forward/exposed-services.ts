import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { checkName } from '../../identity/checked-bytes.ts'
import { codeOf } from '../../runtime/error-code.ts'
import { InvalidPayloadError, LimitError } from '../../runtime/errors.ts'
import { readText } from '../../runtime/files/read-file.ts'
import { refuseControl } from './hold-service.ts'
import { targetOf, targetText } from './target.ts'

/** A service that members may call, and where it is on this machine. */
export interface ExposedService {
  readonly name: string
  /** `[::1]:22` or `unix:/run/app.sock`. */
  readonly to: string
}

const file = z.array(z.strictObject({ name: z.string(), to: z.string() })).max(64)
const maxFileBytes = 64 * 1024
/** A record announces no more. */
const most = 16

export interface ExposedInit {
  dataFolder: string
  /** Path of the own control socket, behind which everything may be done. */
  control: string
  /** Services that the configuration exposes; of a name that is exposed twice they count. */
  configured: () => readonly ExposedService[]
}

/** Exposed services: those of the configuration, and those of commands, which last in a file beside the data of the node. */
export class ExposedServices {
  /** Path of the own control socket. */
  readonly control: string
  readonly #path: string
  readonly #configured: () => readonly ExposedService[]
  #all: ReadonlyMap<string, string>

  /** @throws what is wrong with the file */
  constructor({ dataFolder, control, configured }: ExposedInit) {
    this.#path = join(dataFolder, 'exposed.json')
    this.control = control
    this.#configured = configured
    this.#all = new Map(readAll(this.#path).map(({ name, to }) => [name, to]))
  }

  /** By name. */
  list(): ExposedService[] {
    const all = new Map([...this.#all, ...this.#configured().map(({ name, to }) => [name, to] as const)])
    return sorted(all)
  }

  addressOf(name: string): string | undefined {
    return this.#inConfiguration(name)?.to ?? this.#all.get(name)
  }

  /** @throws InvalidPayloadError, AddressSpellingError; LimitError when there are too many; the error of the system */
  add(name: string, to: string): ExposedService {
    checkName(name, 'name of a service')
    this.#refuseConfigured(name)
    const address = targetText(to)
    const target = targetOf(address)
    if ('path' in target) refuseControl(target.path, this.control)
    if (!this.#all.has(name) && this.#all.size >= most)
      throw new LimitError(`${most} services are exposed, which is as many as can be`)
    this.#save(new Map([...this.#all, [name, address]]))
    return { name, to: address }
  }

  /** undefined: it was not exposed. @throws InvalidPayloadError for one of the configuration */
  remove(name: string): ExposedService | undefined {
    this.#refuseConfigured(name)
    const to = this.#all.get(name)
    if (to === undefined) return undefined
    this.#save(new Map([...this.#all].filter(([each]) => each !== name)))
    return { name, to }
  }

  #inConfiguration(name: string): ExposedService | undefined {
    return this.#configured().find((each) => each.name === name)
  }

  #refuseConfigured(name: string): void {
    if (this.#inConfiguration(name) === undefined) return
    throw new InvalidPayloadError(
      `${name} is exposed by the configuration: change \`expose\` of \`services\` there, then trustnet reload`
    )
  }

  /** Whole or not at all: a crash in between leaves what was. */
  #save(all: ReadonlyMap<string, string>): void {
    const before = this.#all
    this.#all = all
    try {
      writeFileSync(`${this.#path}.new`, `${JSON.stringify(sorted(all))}\n`, { mode: 0o600, flush: true })
      renameSync(`${this.#path}.new`, this.#path)
    } catch (error) {
      this.#all = before
      throw error
    }
  }
}

const sorted = (all: ReadonlyMap<string, string>): ExposedService[] =>
  [...all].map(([name, to]) => ({ name, to })).toSorted((a, b) => (a.name < b.name ? -1 : 1))

function readAll(path: string): ExposedService[] {
  try {
    return file.parse(JSON.parse(readText(path, maxFileBytes)))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    const reason = error instanceof Error ? error.message : String(error)
    throw new InvalidPayloadError(`${path} is no list of exposed services: ${reason}. Remove it and expose them anew`)
  }
}
