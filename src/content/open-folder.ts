import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

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

  /** Opens a folder that an operator named: it may be a link. */
  static async open(path: string): Promise<OpenFolder> {
    return new OpenFolder(path, await open(path, O_RDONLY | O_DIRECTORY))
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
