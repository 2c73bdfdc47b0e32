import type { Bench, Benchmark, Figure, FigureResult, Plan, Round, Row, RowResult } from './benchmark.ts'
import { spreadOf } from './spread.ts'

export interface Rounds {
  readonly rounds: number
  /** One more before them, where the plan asks for it. */
  readonly warmUp: boolean
}

/** Measures everything once per round, so that a slow minute of the machine falls on figure and floor alike. */
export async function runRounds(benchmark: Benchmark, bench: Bench, { rounds, warmUp }: Rounds): Promise<RowResult[]> {
  bench.progress('preparing')
  await using plan = await benchmark.prepare(bench)
  if (warmUp && plan.warmUp === true) await runRound(plan, 0, (text) => bench.progress(`warming up: ${text}`))
  const done: Round[] = []
  for (let round = 1; round <= rounds; round++) {
    done.push(await runRound(plan, round, (text) => bench.progress(`round ${round}/${rounds}: ${text}`)))
  }
  return plan.rows.map((row) => resultOf(row, done))
}

async function runRound({ measures }: Plan, round: number, progress: (text: string) => void): Promise<Round> {
  const values: Record<string, number> = {}
  // Forth and back: what comes first in one round is last in the next.
  const inTurn = round % 2 === 1 ? measures : measures.toReversed()
  for (const { name, run } of inTurn) {
    progress(name)
    const value = await run()
    if (typeof value === 'number') values[name] = value
    else for (const [key, part] of Object.entries(value)) values[`${name}.${key}`] = part
    const shown =
      typeof value === 'number' ? rounded(value) : JSON.stringify(value, (_, part: unknown) => roundedPart(part))
    progress(`${name} = ${shown}`)
  }
  return values
}

const rounded = (value: number): string => String(Number(value.toPrecision(4)))
const roundedPart = (part: unknown): unknown => (typeof part === 'number' ? Number(part.toPrecision(4)) : part)

function resultOf(row: Row, rounds: readonly Round[]): RowResult {
  const figure = figureOf(row, rounds)
  const { floor, aim } = row
  const ratio = floor === undefined ? undefined : spreadOf(rounds.map((round) => row.of(round) / floor.of(round)))
  return {
    ...figure,
    unit: row.unit,
    beside: (row.beside ?? []).map((each) => figureOf(each, rounds)),
    ...(floor !== undefined && { floor: figureOf(floor, rounds) }),
    ...(ratio !== undefined && { ratio }),
    ...(aim !== undefined && { aim: aim.text, met: aim.met(figure.median, ratio?.median ?? Number.NaN) })
  }
}

const figureOf = ({ what, of }: Figure, rounds: readonly Round[]): FigureResult => ({
  what,
  ...spreadOf(rounds.map(of))
})

/** A value of a round by the name of its measure. */
export const measured = (name: string, what: string = name): Figure => ({
  what,
  of: (round) => {
    const value = round[name]
    if (value === undefined) throw new Error(`nothing was measured under the name ${name}`)
    return value
  }
})

/** What things that follow one another allow together, each given per second. */
export const composite = (what: string, names: readonly string[]): Figure => ({
  what,
  of: (round) => 1 / names.map((name) => 1 / measured(name).of(round)).reduce((sum, each) => sum + each, 0)
})
