import { createHash } from 'node:crypto'
import { type Action, actions, weights } from './actions.ts'
import { Simulation } from './simulation.ts'
import type { Stage } from './stage.ts'
import { settleAndJudge } from './verdict.ts'

/** Things that are tried in one schedule. */
const actionsPerSchedule = { least: 20, most: 90 }
/** Longest pause between two of them, ms. */
const pauseMs = 3000

export interface Outcome {
  readonly seed: number
  /** Why the schedule failed; undefined: it did not. */
  readonly failure: Error | undefined
  /** What happened, line by line: two runs of a seed have the same. */
  readonly trace: readonly string[]
  readonly fingerprint: string
}

/** Runs the schedule of a seed. */
export async function runSeed(stage: Stage, seed: number): Promise<Outcome> {
  using folder = stage.newFolder(`seed-${seed}`)
  const simulation = new Simulation(stage, seed, folder.path)
  let failure: Error | undefined
  try {
    await play(simulation)
    await settleAndJudge(simulation)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
  }
  await simulation.dispose()
  const { trace } = simulation
  const fingerprint = createHash('sha256').update(trace.join('\n')).digest('hex').slice(0, 16)
  return { seed, failure, trace, fingerprint }
}

async function play(simulation: Simulation): Promise<void> {
  const { random, world } = simulation
  for (const machine of simulation.machines) simulation.start(machine)
  await world.rest()
  const used = weightsOf(simulation)
  const { least, most } = actionsPerSchedule
  let last = least + random.below(most - least)
  if (random.chance(0.3)) simulation.corruption = 0.05
  let isOver = false
  const next = (): void => {
    last--
    isOver = last < 0
    if (isOver) return
    const action = random.weighted(used)
    actions[action](simulation)
    world.after(random.below(pauseMs) + 1, next)
  }
  actions.weather(simulation)
  world.after(1, next)
  for (;;) {
    await simulation.step()
    if (isOver) return
  }
}

/** Each schedule does without some kinds of things, so that others come in numbers. */
function weightsOf({ random }: Simulation): Record<Action, number> {
  const used: Record<Action, number> = { ...weights }
  for (const action of Object.keys(used) as Action[]) {
    if (action !== 'join' && action !== 'pull' && random.chance(0.2)) used[action] = 0
  }
  return used
}
