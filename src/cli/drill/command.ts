import { Argument } from 'commander'
import type { AddCommand, Context } from '../output/context.ts'
import { exitCodes } from '../output/exit.ts'
import { breakable } from '../output/interrupt.ts'
import type { Column } from '../output/table.ts'
import type { Drill } from './drills.ts'
import { type DrillName, drillNames } from './names.ts'
import type { StepResult } from './watch.ts'

interface DrillOptions {
  json?: boolean
  keep?: boolean
}

const help = `
Starts a network of a root, a secondary and three nodes on this machine, in a
folder that is thrown away, breaks it, and says how long it took until it was
noticed and until it was whole again. No network of yours is touched.

  root-down       the root is killed, and comes back
  dns-down        nobody answers for the domain any more
  partition       the network is cut in two, and healed
  registry-lies   a copy of the root admits others than the root does

Exit code 5 when a target was missed.

Examples:
  trustnet drill root-down
  trustnet drill partition --json
  trustnet drill registry-lies --keep    keep logs and databases`

export const addDrill: AddCommand = (program, context) => {
  program
    .command('drill')
    .description('break a throw-away network on this machine, and see it recover')
    .addArgument(new Argument('<failure>', 'what goes wrong').choices(drillNames))
    .option('--json', 'print JSON')
    .option('--keep', 'keep the folder of the network')
    .addHelpText('after', help)
    .action((name: DrillName, options: DrillOptions) => drill(context, name, options))
}

const drill = async (context: Context, name: DrillName, options: DrillOptions): Promise<void> => {
  const { terminal } = context
  const { drills } = await import('./drills.ts')
  const results = await breakable(context.signal, play(context, drills[name], options), 'all of it was stopped')
  const met = results.every((result) => result.met)
  if (options.json === true) terminal.json({ drill: name, met, steps: results })
  else {
    terminal.table(columns(context), results, { empty: 'Nothing was measured.' })
    terminal.print(met ? '\nAll targets met.' : '\nA target was missed.')
  }
  if (!met) context.exit(exitCodes.degraded)
}

const play = async (context: Context, plan: Drill, { keep = false }: DrillOptions): Promise<readonly StepResult[]> => {
  const { terminal, signal } = context
  const { Stage } = await import('./stage.ts')
  const progress = (line: string): void => terminal.progress(terminal.paintProgress('dim', line))
  const onStep = ({ step, seconds }: StepResult): void => progress(`${shown(seconds).padStart(7)}  ${step}`)
  const { newcomers, needsCut, description } = plan
  const stage = await Stage.open({
    env: terminal.env,
    signal,
    progress,
    onStep,
    newcomers,
    relayed: needsCut,
    keep
  })
  try {
    progress(`now ${description}`)
    await plan.run(stage, signal)
    return stage.watch.results
  } finally {
    await stage[Symbol.asyncDispose]()
    await stage.putAway({ keep, progress })
  }
}

/** "0.42 s" */
const shown = (seconds: number | null): string => (seconds === null ? 'never' : `${seconds.toFixed(2)} s`)

const columns = ({ terminal: { paint } }: Context): Column<StepResult>[] => [
  { title: 'WHAT', cell: ({ step }) => step },
  { title: 'MEASURED', right: true, cell: ({ seconds }) => shown(seconds) },
  { title: 'TARGET', right: true, cell: ({ targetSeconds }) => `${targetSeconds} s` },
  { title: '', cell: ({ met }) => (met ? paint('good', 'met') : paint('bad', 'missed')) }
]
