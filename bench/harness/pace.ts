import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { quantile } from './spread.ts'

/** How many times longer this machine takes for a piece of work than a quiet one of the usual kind, at least 1. */
export interface Pace {
  /** In time of the processor: a slower one. */
  readonly cpu: number
  /** In time that passes: one that has other things to do, too. */
  readonly wall: number
}

/** What the work takes on two quiet cores of a virtual machine, Node 24. */
const usualMs = 15
const rounds = 5

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const message = Buffer.alloc(300, 7)
const signature = sign(null, message, privateKey)
const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, name: `member-${(id * 7_919) % 2_000}`, at: id % 97 }))

/** Work of the kind that a registry does: signatures, sorting, text and objects. */
function work(): void {
  for (let done = 0; done < 100; done++) verify(null, message, publicKey, signature)
  for (let done = 0; done < 4; done++) {
    const copy: typeof rows = JSON.parse(JSON.stringify(rows))
    copy.sort((a, b) => a.name.localeCompare(b.name) || a.at - b.at)
  }
}

/** One round of it, in ms. */
function round(): { cpuMs: number; wallMs: number } {
  const from = performance.now()
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return { cpuMs: (user + system) / 1_000, wallMs: performance.now() - from }
}

const slowness = (times: number[]): number => Math.max(1, quantile(times, 0.5) / usualMs)

/** At this moment, by so many rounds. */
export function pace(count = rounds): Pace {
  const all = Array.from({ length: count }, round)
  return { cpu: slowness(all.map(({ cpuMs }) => cpuMs)), wall: slowness(all.map(({ wallMs }) => wallMs)) }
}

/** The slower of both: what was measured before and after something. */
export const slower = (a: Pace, b: Pace): Pace => ({ cpu: Math.max(a.cpu, b.cpu), wall: Math.max(a.wall, b.wall) })
