import { setTimeout as sleep } from 'node:timers/promises'
import { controlClient } from '../../node/api/client.ts'
import type { StatusView } from '../../node/api/control-api.ts'
import { InstallError } from '../errors.ts'
import type { Install } from '../model/deployment.ts'

/** Key, store and listener are there within a second or two; a session with a registry after the longest pause between two tries. */
const upMs = 90_000
/** Time for which a version must run: one that ends soon after its start is none to stay with. */
const steadyMs = 3000
const lookMs = 100

const statusOf = async ({ layout }: Install): Promise<StatusView | undefined> => {
  try {
    return await controlClient({ path: layout.socket, timeoutMs: 5000 }).status()
  } catch {
    // Nobody answers.
    return undefined
  }
}

export const isHealthy = async (install: Install): Promise<boolean> => (await statusOf(install))?.word === 'healthy'

export interface WorksInit {
  readonly version: string
  /** It was before: with a version that does not find the network any more it is not. */
  readonly wasHealthy: boolean
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

/** Waits until the process of that version answers, is as healthy as before, and stays so. @throws InstallError */
export const works = async (install: Install, { version, wasHealthy, signal, say }: WorksInit): Promise<StatusView> => {
  const deadline = performance.now() + upMs
  let steady: { pid: number; sinceMs: number } | undefined
  let last: StatusView | undefined
  say(`waiting for ${install.answers.name} ${version}`)
  while (performance.now() < deadline) {
    signal.throwIfAborted()
    last = await statusOf(install)
    const good = last?.self.version === version && last.word !== 'starting' && (!wasHealthy || last.word === 'healthy')
    if (last === undefined || !good) steady = undefined
    else if (steady?.pid !== last.self.pid) steady = { pid: last.self.pid, sinceMs: performance.now() }
    else if (performance.now() - steady.sinceMs >= steadyMs) return last
    await sleep(lookMs, undefined, { signal })
  }
  const seen = last === undefined ? 'nobody answers' : `it is ${last.self.version}, ${last.word}: ${last.summary}`
  throw new InstallError(`${install.answers.name} ${version} did not come up within ${upMs / 1000} s (${seen}).`)
}
