import { hash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { equals } from 'uint8arrays/equals'
import { codeOf } from '../error-code.ts'
import { reasonOf } from '../error-message.ts'
import { makeFolder } from '../make-folder.ts'
import type { Answer, FileWork, Question } from './file-thread.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

const work: FileWork = {
  read(path, most) {
    const file = orNone(() => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    if (file === undefined) return undefined
    try {
      const bytes = new Uint8Array(Math.min(fstatSync(file).size, most))
      const whole = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
      return { bytes: whole, sha256: hash('sha256', whole, 'hex') }
    } finally {
      closeSync(file)
    }
  },

  write(path, part, bytes) {
    const sizeBefore = lstatSync(path, { throwIfNoEntry: false })?.size
    if (sizeBefore === bytes.length && equals(work.read(path, sizeBefore)?.bytes ?? new Uint8Array(), bytes))
      return { isSame: true, sizeBefore }
    try {
      writeNew(part, bytes)
      renameSync(part, path)
    } catch (error) {
      rmSync(part, { force: true })
      throw error
    }
    return { isSame: false, sizeBefore }
  }
}

function writeNew(path: string, bytes: Uint8Array): void {
  const create = (): number => openSync(path, 'wx', 0o600)
  let file = orNone(create)
  if (file === undefined) {
    makeFolder(dirname(path), 0o700)
    file = create()
  }
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  } finally {
    closeSync(file)
  }
}

/** undefined: there is no such file or folder. */
function orNone<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const answerTo = ({ id, name, given }: Question): { answer: Answer; moved: ArrayBuffer[] } => {
  try {
    const value = name === 'read' ? work.read(...given) : work.write(...given)
    const moved = value !== undefined && 'bytes' in value ? [value.bytes.buffer] : []
    return { answer: { id, value }, moved }
  } catch (error) {
    return { answer: { id, failure: { code: codeOf(error), message: reasonOf(error) } }, moved: [] }
  }
}

// One after the other, each from begin to end: what another thread is told of a file is what is there.
parentPort?.on('message', (question: Question) => {
  const { answer, moved } = answerTo(question)
  parentPort?.postMessage(answer, moved)
})
