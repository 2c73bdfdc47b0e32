import { createHash } from 'node:crypto'
import { toString as text } from 'uint8arrays/to-string'
import type { Outcome } from '../run.ts'
import type { Stage } from '../stage.ts'
import { Schedule } from './schedule.ts'
import type { Seat } from './seat.ts'

const actionsPerSchedule = { least: 20, most: 80 }
const pauseMs = 3000
/** Steps after the faults within which all must be at one head. */
const settleSteps = 4000

/** Runs the schedule of a seed. `compares`: false for an engine that takes whatever comes, as a control. */
export async function runRootStoreSeed(stage: Stage, seed: number, compares = true): Promise<Outcome> {
  using folder = stage.newFolder(`root-store-${seed}`)
  const schedule = new Schedule(stage, seed, folder.path)
  schedule.engine.compares = compares
  let failure: Error | undefined
  try {
    await play(schedule)
    await settleAndJudge(schedule)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
  }
  await schedule.dispose()
  const { trace } = schedule
  const fingerprint = createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16)
  return { seed, failure, trace, fingerprint }
}

async function play(schedule: Schedule): Promise<void> {
  const { random, world } = schedule
  const { least, most } = actionsPerSchedule
  let left = least + random.below(most - least)
  let isOver = false
  await schedule.begin()
  const next = (): void => {
    left--
    isOver = left < 0
    if (isOver) return
    schedule.act()
    world.after(random.below(pauseMs) + 1, next)
  }
  world.after(1, next)
  for (;;) {
    await step(schedule)
    if (isOver) return
  }
}

async function step(schedule: Schedule): Promise<void> {
  await schedule.world.step()
  schedule.audit.check()
}

/** Lets the faults end, and asks whether everything that was acknowledged is in the one history. */
async function settleAndJudge(schedule: Schedule): Promise<void> {
  schedule.calm()
  const { acknowledged } = schedule
  const before = acknowledged.size
  let isNew = false
  for (let steps = 0; steps < settleSteps; steps++) {
    await step(schedule)
    const root = schedule.seats.find(({ life }) => life?.lease !== undefined)
    if (root === undefined) continue
    isNew ||= acknowledged.size > before
    if (isNew && isWhole(schedule)) return
    if (steps % 50 !== 0) continue
    // Whoever has just got the lease catches up with its first entry.
    if (steps % 200 === 0) schedule.append(root)
    else for (const seat of schedule.seats) schedule.pull(seat, root)
  }
  throw new Error(
    `they are not at one head with all that was acknowledged:\n${schedule.seats.map(pictureOf).join('\n')}`
  )
}

function isWhole({ acknowledged, seats }: Schedule): boolean {
  if (new Set(seats.map(headOf)).size !== 1) return false
  for (const [{ publicKey }, by] of acknowledged) {
    const lacking = seats.find(({ life }) => life?.replica.state.member(publicKey) === undefined)
    if (lacking !== undefined) throw new Error(`${lacking.name} lacks a member that ${by} has acknowledged`)
  }
  return true
}

const headOf = ({ life }: Seat): string => {
  if (life === undefined) return 'not running'
  const { head, state } = life.replica
  return `${head.epoch}:${head.n} ${text(head.hash, 'base16')} ${text(state.root(), 'base16')}`
}

const pictureOf = (seat: Seat): string => `${seat.name} ${headOf(seat)} term ${seat.life?.lease?.term ?? '-'}`
