import { Worker } from 'node:worker_threads'
import { countBuffer } from '../young-generation.ts'

/** Work with whole files, each from begin to end in one call. */
export interface FileWork {
  /** The file, no more than `most` bytes of it, with their SHA-256 in hex; undefined: there is none. Follows no link. */
  read(path: string, most: number): { readonly bytes: Uint8Array<ArrayBuffer>; readonly sha256: string } | undefined
  /**
   * Has a file with these bytes at this path, or leaves all as it was: it is written as `part` and renamed, and the folder made where it is
   * missing. One that has them already is left.
   */
  write(
    path: string,
    part: string,
    bytes: Uint8Array<ArrayBuffer>
  ): { readonly isSame: boolean; readonly sizeBefore: number | undefined }
}

export type Question = { readonly id: number } & (
  | { readonly name: 'read'; readonly given: Parameters<FileWork['read']> }
  | { readonly name: 'write'; readonly given: Parameters<FileWork['write']> }
)

export interface Answer {
  readonly id: number
  readonly value?: ReturnType<FileWork['read']> | ReturnType<FileWork['write']>
  readonly failure?: { readonly code: string | undefined; readonly message: string }
}

/**
 * Reads and writes whole files in a thread of its own: with promises each file is five errands to the thread pool, which the signatures of
 * this process wait for, too, and each costs the main thread more than a system call. Starts with the first call and holds no process.
 */
class FileThread {
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer['value']>>()
  #worker: Worker | undefined
  #lastId = 0

  /** @throws the error of the system, with its code */
  async read(...given: Parameters<FileWork['read']>): Promise<ReturnType<FileWork['read']>> {
    const found = await this.#ask({ name: 'read', given }, [])
    if (found === undefined || !('bytes' in found)) return undefined
    countBuffer(found.bytes.length)
    return found
  }

  /** Copies the bytes: they may lie in a buffer that others use. @throws the error of the system, with its code: nothing is left of it then */
  async write(path: string, part: string, bytes: Uint8Array): Promise<ReturnType<FileWork['write']>> {
    const copy = new Uint8Array(bytes)
    countBuffer(copy.length)
    const written = await this.#ask({ name: 'write', given: [path, part, copy] }, [copy.buffer])
    if (written === undefined || !('isSame' in written)) throw new TypeError('an answer to something else')
    return written
  }

  async #ask(question: Omit<Question, 'id'>, moved: ArrayBuffer[]): Promise<Answer['value']> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    const id = ++this.#lastId
    const answered = Promise.withResolvers<Answer['value']>()
    this.#waiting.set(id, answered)
    worker.ref()
    worker.postMessage({ ...question, id }, moved)
    return await answered.promise
  }

  #start(): Worker {
    const isSource = import.meta.url.endsWith('.ts')
    const worker = new Worker(new URL(`./file-thread-worker.${isSource ? 'ts' : 'js'}`, import.meta.url), {
      // Those of this process may be about its own input.
      execArgv: []
    })
    worker.on('message', ({ id, value, failure }: Answer) => {
      const answered = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
      if (failure === undefined) answered?.resolve(value)
      else answered?.reject(Object.assign(new Error(failure.message), { code: failure.code }))
    })
    worker.once('error', (error) => this.#ended(worker, error))
    worker.once('exit', () => this.#ended(worker, new Error('the thread for files has ended')))
    return worker
  }

  /** The next call starts another one. */
  #ended(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** One for the process: a disk does not become faster with more. */
export const fileThread = new FileThread()
