import { constants } from 'node:fs'
import { type FileHandle, open, readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UnfitNameError } from './errors.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/**
 * A folder that is open. What is in it is named through its descriptor, so nobody who puts a link in the place of a folder above leads a
 * read or a write elsewhere.
 */
export class OpenFolder implements AsyncDisposable {
  /** For messages. */
  readonly path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /**
   * Opens the folder at a path without links, as it was judged when an operator named it. Whoever owns a folder above can put a link in its
   * place later, to where the keys of this node are.
   * @throws UnfitNameError when it leads elsewhere by now
   */
  static async open(path: string): Promise<OpenFolder> {
    const handle = await open(path, O_RDONLY | O_DIRECTORY)
    const real = await readlink(`/proc/self/fd/${handle.fd}`)
    if (real === resolve(path)) return new OpenFolder(path, handle)
    await handle.close()
    throw new UnfitNameError(
      `${path} leads to ${real} by now, through a link: put the folder back, or name the other one to the store again`
    )
  }

  /** A folder in this one. @throws ENOTDIR or ELOOP when it is something else by now */
  async child(name: string): Promise<OpenFolder> {
    return new OpenFolder(join(this.path, name), await open(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }

  /** A file in this one, for reading. A pipe in its place does not hold the process. */
  async file(name: string): Promise<FileHandle> {
    return await open(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  }

  /** Path of an entry that leads through this very folder. */
  at(name: string): string {
    return `/proc/self/fd/${this.#handle.fd}/${name}`
  }

  async chmod(mode: number): Promise<void> {
    await this.#handle.chmod(mode)
  }

  async sync(): Promise<void> {
    await this.#handle.sync()
  }

  async changedNs(): Promise<bigint> {
    return (await this.#handle.stat({ bigint: true })).mtimeNs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}
