import { LightMember } from '../harness/members/light-member.ts'
import { serveMethods } from '../harness/serve.ts'
import type { RootAddress } from './root.ts'

/** Members that come back by themselves whenever their registry was away. */
const members: LightMember[] = []
let registeredAt: number[] = []
let tries = 0
let refused: string[] = []
let waiting: { count: number; resolve: (at: number[]) => void } | undefined

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Nobody there to refuse: the root is away, or its port is just being opened. */
const isAbsence = (error: Error): boolean =>
  /ECONNREFUSED|ECONNRESET|EPIPE|All multiaddr dials failed|closed|ended|reset|aborted/i.test(error.message)

function tried(error?: Error): void {
  tries++
  if (error === undefined) registeredAt.push(machineMs())
  else if (!isAbsence(error)) refused.push(`${error.name}: ${error.message}`)
  if (waiting !== undefined && registeredAt.length >= waiting.count) waiting.resolve(registeredAt)
}

const methods = {
  /** Members `from` to `to - 1` of a network of `all`. */
  async start(root: RootAddress, from: number, to: number, all: number): Promise<void> {
    for (let number = from; number < to; number++) {
      const member = await LightMember.start(number, root)
      members.push(member)
      void member.keep(all, tried)
    }
  },

  /** From here on registrations and refusals count. */
  expect(): void {
    registeredAt = []
    tries = 0
    refused = []
  },

  /** Resolves when so many have registered since `expect`; gives when each did (machine clock, ms). */
  async back(count: number): Promise<number[]> {
    const { promise, resolve } = Promise.withResolvers<number[]>()
    waiting = { count, resolve }
    if (registeredAt.length >= count) resolve(registeredAt)
    return await promise
  },

  /** Since `expect`, those that succeeded among them. */
  tries(): number {
    return tries
  },

  refusals(): string[] {
    return refused
  }
}

export type ReturningMethods = typeof methods

serveMethods(methods, async () => {
  await Promise.all(members.map((member) => member.stop()))
})
