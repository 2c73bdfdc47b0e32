import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runRootStoreSeed } from './root-store/run.ts'
import { runSeed } from './run.ts'
import { makeStage } from './stage.ts'

/**
 * `npm run simulate -- --seeds N --from S`: N schedules, side by side on all cores, with `--root-store` of roots whose log an engine keeps; prints what failed with the command that repeats it,
 * and ends with 1 then.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    every: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    'root-store': { type: 'boolean', default: false }
  }
})
const seeds = Number(values.seeds)
const from = Number(values.from)
const every = Number(values.every)
const jobs = every === 1 ? Math.min(availableParallelism(), seeds) : 1
const flags = values['root-store'] ? ['--root-store'] : []
const runOne = values['root-store'] ? runRootStoreSeed : runSeed
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Gives whether all of them passed. */
async function runHere(): Promise<boolean> {
  await using stage = await makeStage()
  let happened = 0
  for (let seed = from; seed < from + seeds; seed += every) {
    const { failure, trace, fingerprint } = await runOne(stage, seed)
    happened += trace.length
    if (values.trace) say(`${trace.join('\n')}\nfingerprint ${fingerprint}`)
    if (failure === undefined) continue
    say(`seed ${seed} failed: ${failure.stack ?? failure.message}`)
    if (failure.cause instanceof Error) say(`because: ${failure.cause.stack ?? ''}`)
    say(`again, with all that happened: npm run simulate -- ${flags.join(' ')} --seeds 1 --from ${seed} --trace`)
    return false
  }
  say(`${Math.ceil(seeds / every)} schedules, ${happened} events: all passed`)
  return true
}

async function runSideBySide(): Promise<boolean> {
  const codes = await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const given = [...flags, '--seeds', String(seeds - job), '--from', String(from + job), '--every', String(jobs)]
      const [code] = await once(fork(fileURLToPath(import.meta.url), given), 'exit')
      return code === 0
    })
  )
  return codes.every(Boolean)
}

const passed = jobs > 1 ? await runSideBySide() : await runHere()
if (!passed) process.exitCode = 1
