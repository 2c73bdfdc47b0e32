import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onAbort } from '../../../runtime/abort.ts'
import { cleanEnvironment } from '../../../runtime/clean-environment.ts'
import { versionInfo } from '../../../runtime/version.ts'
import { InstallError } from '../../errors.ts'
import type { Ids } from '../../machine/open-safely.ts'
import { programFolder } from '../../model/layout.ts'
import type { Answer, Order } from './child.ts'
import { type TaskTypes, tasks } from './tasks.ts'

/** A network is made in a second, a process stops in eight. */
const defaultMs = 120_000
/** An id, a number, a sentence. Whoever answers may have been taken over: more is not read. */
const maxAnswerBytes = 64 * 1024

/** The installed program, which everybody may read: the one that runs may lie in a folder of root, where its parts are not found later. */
const command = (): [string, ...string[]] => {
  const installed = join(programFolder, versionInfo().version)
  const script = join(installed, 'lib/node_modules/trustnet/dist/src/install/apply/as-owner/child.js')
  if (existsSync(script)) return [join(installed, 'bin/node'), script]
  const isSource = import.meta.url.endsWith('.ts')
  const own = fileURLToPath(new URL(`./child.${isSource ? 'ts' : 'js'}`, import.meta.url))
  // Node strips types from source; generated code has namespaces, which it must be told to compile.
  const flags = isSource ? ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'] : []
  return [process.execPath, ...flags, own]
}

/**
 * Does one task on files of the service as the user of the service, in a process of its own: where that user leads it, it goes with
 * that user's rights. Whoever is not root does it itself. @throws InstallError, and what the task says
 */
export const asOwner = async <K extends keyof TaskTypes>(
  { uid, gid }: Ids,
  task: K,
  input: TaskTypes[K]['input'],
  { signal = new AbortController().signal, timeoutMs = defaultMs }: { signal?: AbortSignal; timeoutMs?: number } = {}
): Promise<TaskTypes[K]['answer']> => {
  if (process.geteuid?.() !== 0 || uid === 0) return await tasks[task](input)
  const order: Order<K> = { ids: { uid, gid }, task, input }
  const answer: Answer<K> = JSON.parse(await answerOf(order, signal, timeoutMs))
  if ('result' in answer) return answer.result
  const { name, message } = answer.error
  throw Object.assign(new InstallError(message), { name })
}

const answerOf = (order: object, signal: AbortSignal, timeoutMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = cleanEnvironment()
    // A session of its own: whoever takes the process over has no terminal to type into.
    const [file, ...args] = command()
    const started = spawn(file, args, { env, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
    const end = (why: string): void => {
      started.kill('SIGKILL')
      reject(new InstallError(`The work on the files of the node was ended: ${why}.`))
    }
    const timer = setTimeout(() => end(`it took longer than ${timeoutMs / 1000} s`), timeoutMs)
    const watch = onAbort(signal, (reason) => {
      started.kill('SIGKILL')
      reject(reason)
    })
    const chunks: Buffer[] = []
    let bytes = 0
    started.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxAnswerBytes) end(`its answer is longer than ${maxAnswerBytes} bytes`)
      else chunks.push(chunk)
    })
    started.once('error', reject)
    started.once('close', (code, by) => {
      clearTimeout(timer)
      watch?.[Symbol.dispose]()
      if (bytes > 0) resolve(Buffer.concat(chunks).toString('utf8'))
      else reject(new InstallError(`The work on the files of the node ended with ${by ?? code} and no answer.`))
    })
    // It may have ended before it has read all.
    started.stdin.on('error', () => undefined)
    started.stdin.end(JSON.stringify(order))
  })
