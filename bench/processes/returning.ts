import { LightMember } from '../harness/light-member.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** Members that come back by themselves whenever their registry was away. */
const members: LightMember[] = []
let registered = 0
let refused: string[] = []
let waiting: { count: number; resolve: (at: number) => void } | undefined

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Nobody there to refuse: the root is away, or its port is just being opened. */
const isAbsence = (error: Error): boolean =>
  /ECONNREFUSED|ECONNRESET|EPIPE|All multiaddr dials failed|closed|ended|reset|aborted/i.test(error.message)

function tried(error?: Error): void {
  if (error === undefined) registered++
  else if (!isAbsence(error)) refused.push(`${error.name}: ${error.message}`)
  if (waiting !== undefined && registered >= waiting.count) waiting.resolve(machineMs())
}

const methods = {
  async start(root: RootAddress, from: number, to: number): Promise<void> {
    for (let number = from; number < to; number++) {
      const member = await LightMember.start(number, root)
      members.push(member)
      void member.keep(tried)
    }
  },

  /** From here on registrations and refusals count. */
  expect(): void {
    registered = 0
    refused = []
  },

  /** Resolves when so many have registered since `expect`; gives when (machine clock, ms). */
  async back(count: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    waiting = { count, resolve }
    if (registered >= count) resolve(machineMs())
    return await promise
  },

  refusals(): string[] {
    return refused
  }
}

export type ReturningMethods = typeof methods

serveMethods(methods, async () => {
  await Promise.all(members.map((member) => member.stop()))
})
