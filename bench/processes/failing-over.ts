import { runLoad } from '../harness/load.ts'
import { KeptMember } from '../harness/members/kept-member.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** Members whose leases move to another registry by themselves. */
const members: KeptMember[] = []
/** By member: the registry that holds its lease. */
const holders = new Map<number, { index: number; at: number }>()
const troubles: string[] = []
let waiting: { isDone: () => boolean; resolve: () => void } | undefined

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

function held(number: number, index: number): void {
  holders.set(number, { index, at: machineMs() })
  if (waiting?.isDone() === true) waiting.resolve()
}

async function until(isDone: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  waiting = { isDone, resolve }
  if (isDone()) resolve()
  await promise
}

const methods = {
  /** Members `from` to `to - 1` of a network of `all`; each holds its lease at the first registry. */
  async start(registries: RootAddress[], from: number, to: number, all: number): Promise<void> {
    for (let number = from; number < to; number++) {
      const onHeld = (index: number): void => held(number, index)
      const onTrouble = (error: Error): void => void troubles.push(error.message)
      members.push(await KeptMember.start({ number, registries, all, onHeld, onTrouble }))
    }
  },

  /** All of them connect to this registry, some at a time. */
  async connect(registry: RootAddress): Promise<void> {
    await runLoad(members.length, 8, async (job) => await members[job]?.connect(registry))
  },

  /** All of them get a lease, some at a time. */
  async hold(): Promise<void> {
    await runLoad(members.length, 8, async (job) => await members[job]?.hold())
  },

  /** Resolves when that registry holds the leases of all; gives when each came (machine clock, ms). */
  async heldBy(index: number): Promise<number[]> {
    await until(
      () => holders.size === members.length && [...holders.values()].every((holder) => holder.index === index)
    )
    return [...holders.values()].map(({ at }) => at)
  },

  /** What went wrong since the last call. */
  troubles(): string[] {
    return troubles.splice(0)
  }
}

export type FailingOverMethods = typeof methods

serveMethods(methods, async () => {
  await Promise.all(members.map((member) => member.stop()))
})
