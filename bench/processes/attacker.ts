import { serveMethods } from '../harness/serve.ts'
import { Tally } from '../hostile/attack.ts'
import { type AttackName, attacks } from '../hostile/attacks/index.ts'
import type { RootAddress } from './root.ts'

/** Whoever attacks does it from a process of its own. */
const over = new AbortController()
const tally = new Tally()
let running: Promise<void> = Promise.resolve()

const methods = {
  begin(name: AttackName, target: RootAddress): void {
    running = attacks[name]({ target, tally, signal: over.signal })
    running.catch((error: Error) => process.stderr.write(`the attack ended: ${error.stack ?? error.message}\n`))
  },

  /** What has been done so far. */
  tally(): Pick<Tally, 'sent' | 'met' | 'who'> {
    return { sent: tally.sent, met: tally.met, who: tally.who }
  }
}

export type AttackerMethods = typeof methods

serveMethods(methods, async () => over.abort())
