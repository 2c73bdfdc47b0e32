import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { decodeLink, encodeLink } from '../../content/link.ts'
import { peerIdText, publicKeyOf } from '../../identity/keys.ts'
import { openStoreManifest } from '../../registry/objects/store-manifest.ts'
import type { Logger } from '../../runtime/clock-and-logger.ts'
import { reasonOf } from '../../runtime/error-message.ts'
import { syncPath } from '../../runtime/files/sync-path.ts'
import { makeFolder } from '../../runtime/make-folder.ts'
import { type StoreEntry, storeKey, type Version } from './store-entry.ts'

const ending = '.json'
const unfinished = '.part-'

const kept = z.strictObject({
  owner: z.string(),
  name: z.string(),
  isOwn: z.boolean(),
  versions: z.array(z.base64()),
  coming: z.base64().nullable(),
  folder: z.string().nullable(),
  writtenSeq: z.int().min(0),
  written: z.array(z.base64()).default([]),
  watch: z.boolean(),
  pinned: z.boolean(),
  asked: z.boolean(),
  isDropped: z.boolean()
})

/** The entries of stores, each in a file of its own that is whole or not there. */
export class StoreFiles {
  readonly #folder: string
  readonly #networkId: Uint8Array
  #saving: Promise<unknown> = Promise.resolve()

  constructor(folder: string, networkId: Uint8Array) {
    this.#folder = folder
    this.#networkId = networkId
  }

  /** All of them. One that cannot be read is named and left as it is: its store is not known here until somebody adds it again. */
  load(logger: Logger): StoreEntry[] {
    makeFolder(this.#folder, 0o700)
    return readdirSync(this.#folder).flatMap((name) => {
      const path = join(this.#folder, name)
      if (name.startsWith(unfinished)) rmSync(path, { force: true })
      if (!name.endsWith(ending)) return []
      try {
        return [this.#read(readFileSync(path, 'utf8'))]
      } catch (error) {
        logger.error(
          { file: path, error: reasonOf(error) },
          'what is known of a store could not be read; add or sync it again, and remove the file'
        )
        return []
      }
    })
  }

  #read(text: string): StoreEntry {
    const { owner, versions, coming, folder, written, ...rest } = kept.parse(JSON.parse(text))
    const open = (envelope: string): Version => openStoreManifest(bytesOf(envelope), this.#networkId)
    return {
      ...rest,
      owner: publicKeyOf(owner),
      versions: versions.map(open),
      coming: coming === null ? undefined : open(coming),
      folder: folder ?? undefined,
      written: written.map((link) => decodeLink(bytesOf(link)))
    }
  }

  /** Resolves when it outlasts a power cut. */
  async save(entry: StoreEntry): Promise<void> {
    await this.#inTurn(() => this.#save(entry))
  }

  async remove(entry: StoreEntry): Promise<void> {
    await this.#inTurn(async () => {
      await rm(this.#path(entry), { force: true })
      await syncPath(this.#folder)
    })
  }

  /** One after the other, so that what was said last is what is kept. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#saving.then(work)
    this.#saving = done.catch(() => {})
    await done
  }

  async #save(entry: StoreEntry): Promise<void> {
    const path = this.#path(entry)
    const part = join(this.#folder, unfinished + randomBytes(8).toString('hex'))
    try {
      await writeFile(part, textOf(entry), { mode: 0o600, flag: 'wx', flush: true })
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
    await syncPath(this.#folder)
  }

  #path({ owner, name }: StoreEntry): string {
    return join(this.#folder, storeKey(owner, name) + ending)
  }
}

const base64 = ({ bytes }: Pick<Version, 'bytes'>): string => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'))

function textOf({ owner, name, versions, coming, folder, written, ...rest }: StoreEntry): string {
  const value: z.infer<typeof kept> = {
    ...rest,
    owner: peerIdText(owner),
    name,
    versions: versions.map(base64),
    coming: coming === undefined ? null : base64(coming),
    folder: folder ?? null,
    written: written.map((link) => base64({ bytes: encodeLink(link) }))
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}
