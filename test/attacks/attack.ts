import { type TestContext, test } from 'vitest'

/** What came of an attack: a row of the table that `npm run attacks` prints. */
export interface Outcome {
  /** What the attacker did and got, with figures: `40 MiB of a made-up snapshot: 0 bytes kept`. */
  readonly happened: string
  /** The limit or rule that held: `delegations are verified before anything is staged`. */
  readonly held: string
}

declare module 'vitest' {
  interface TaskMeta {
    attack?: Outcome
  }
}

/**
 * A test that attacks the program over real sockets or real files. It fails when the attack works, and gives what happened otherwise.
 * Beside each stands a `control`, which shows that the attack would be noticed if nothing stopped it.
 */
export function attack(name: string, run: (context: TestContext) => Promise<Outcome>, timeoutMs?: number): void {
  test(
    `attack: ${name}`,
    async (context) => {
      const outcome = await run(context)
      context.task.meta.attack = outcome
    },
    timeoutMs
  )
}

/** Shows that the attack beside it can succeed: what it tries goes through where nothing forbids it. */
export function control(name: string, run: (context: TestContext) => Promise<void>): void {
  test(`control: ${name}`, run)
}
