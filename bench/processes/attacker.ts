import { serveMethods } from '../harness/serve.ts'
import { Tally } from '../hostile/attack.ts'
import { type AttackName, attacks } from '../hostile/attacks/index.ts'
import type { RootAddress } from './root.ts'

/** Whoever attacks does it from a process of its own, one attack after the other. */
let over = new AbortController()
let tally = new Tally()

const isAttack = (name: string): name is AttackName => Object.hasOwn(attacks, name)

const methods = {
  /** Nothing, by a name that is none. */
  begin(name: string, target: RootAddress): void {
    over = new AbortController()
    tally = new Tally()
    if (!isAttack(name)) return
    attacks[name]({ target, tally, signal: over.signal }).catch((error: Error) =>
      process.stderr.write(`the attack ended: ${error.stack ?? error.message}\n`)
    )
  },

  /** Stops it. Gives what was done. */
  end(): Pick<Tally, 'sent' | 'met' | 'who'> {
    over.abort()
    return { sent: tally.sent, met: tally.met, who: tally.who }
  }
}

export type AttackerMethods = typeof methods

serveMethods(methods, async () => over.abort())
