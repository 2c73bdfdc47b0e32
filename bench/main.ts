import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { benchmarks } from './benchmarks.ts'
import { type Bench, type Benchmark, type BenchmarkResult, SkippedError } from './harness/benchmark.ts'
import { eachAlone } from './harness/each-alone.ts'
import { commit, hasWholeHistory, isInHistory, machine } from './harness/machine.ts'
import { readResults, renderPage } from './harness/page.ts'
import { runRounds } from './harness/rounds.ts'
import { textTable } from './harness/table.ts'

const resultsFolder = join('bench', 'results')
const page = join('docs', 'benchmarks.md')

interface Options {
  rounds?: string
  quick?: boolean
  save?: boolean
  render?: boolean
  folder: string
  set: string[]
}

const collect = (value: string, before: string[]): string[] => [...before, value]

const program = new Command('npm run bench --')
  .description('measures TrustNet beside what the machine allows')
  .argument('[names...]', `which: ${benchmarks.map(({ name }) => name).join(', ')}; all without one`)
  .option('--rounds <count>', 'rounds of each; default: 5, and 1 with --quick')
  .option('--quick', 'small parameters, to see that each one works; the results are not kept')
  .option('--set <parameter=number>', 'change a parameter (may be repeated); the results are not kept', collect, [])
  .option('--save', 'keep the results in spite of --quick or --set')
  .option('--render', 'write the page from the results that are kept, and measure nothing')
  .option('--folder <path>', 'where the stores are made: on the disk that counts', tmpdir())

/** Numbers of `--set` by name. */
function changesOf({ set }: Options): Record<string, number> {
  return Object.fromEntries(
    set.map((pair) => {
      const [name = '', value = ''] = pair.split('=')
      if (name === '' || !/^\d+(\.\d+)?$/.test(value)) throw new Error(`--set ${pair}: write PARAMETER=NUMBER`)
      return [name, Number(value)]
    })
  )
}

function parametersOf(benchmark: Benchmark, options: Options): Record<string, number> {
  const changes = changesOf(options)
  const known = Object.entries(changes).filter(([name]) => name in benchmark.parameters)
  return { ...benchmark.parameters, ...(options.quick === true && benchmark.quick), ...Object.fromEntries(known) }
}

const roundsOf = ({ rounds, quick }: Options): number => Number(rounds ?? (quick === true ? 1 : 5))

const commandOf = (name: string, { set, rounds, quick }: Options): string => {
  const words = [`npm run bench -- ${name}`, ...set.map((pair) => `--set ${pair}`)]
  if (rounds !== undefined) words.push(`--rounds ${rounds}`)
  if (quick === true) words.push('--quick')
  return words.join(' ')
}

async function measure(benchmark: Benchmark, options: Options): Promise<BenchmarkResult | undefined> {
  const { name, title, how } = benchmark
  const parameters = parametersOf(benchmark, options)
  const rounds = roundsOf(options)
  const folder = mkdtempSync(join(options.folder, 'trustnet-bench-'))
  const cache = join(options.folder, 'trustnet-bench-cache')
  mkdirSync(cache, { recursive: true })
  const progress = (text: string): void => void process.stderr.write(`${name}: ${text}\n`)
  const bench: Bench = { parameters, folder, cache, progress }
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const rows = await inTime(runRounds(benchmark, bench, { rounds, warmUp: options.quick !== true }), mostMs)
    remove()
    const date = new Date().toISOString().slice(0, 10)
    const command = commandOf(name, options)
    return { name, title, how, rounds, parameters, command, date, machine: machine(), commit: commit(), rows }
  } catch (error) {
    if (!(error instanceof SkippedError)) {
      progress(`failed; its stores and logs are in ${folder}`)
      throw error
    }
    progress(`skipped: ${error.message}`)
    remove()
    return undefined
  }
}

/** A benchmark that hangs is given up: the others go on. With small parameters it takes seconds. */
const quickMs = 180_000
const mostMs = 3_600_000

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`it was not done after ${ms / 1_000} s`)), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function wanted(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.find((name) => !benchmarks.some((each) => each.name === name))
  if (unknown !== undefined) throw new Error(`there is no benchmark ${unknown}: \`npm run bench -- --help\` lists them`)
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name))
}

async function main(): Promise<void> {
  program.parse()
  const options = program.opts<Options>()
  const keeps = options.save === true || (options.quick !== true && options.set.length === 0)
  const benchmarksWanted = wanted(program.args)
  if (options.quick === true && benchmarksWanted.length > 1) return await tryEach(benchmarksWanted)
  mkdirSync(resultsFolder, { recursive: true })
  if (options.render !== true) {
    for (const benchmark of benchmarksWanted) {
      try {
        await measureOne(benchmark, options, keeps)
      } catch (error) {
        unfinished.push(benchmark.name)
        process.stderr.write(`${benchmark.name}: ${error instanceof Error ? error.stack : String(error)}\n`)
      }
    }
  }
  if (keeps || options.render === true) renderPage(page, benchmarks, readResults(resultsFolder), isKnown)
}

/** Each with small parameters: the figures say nothing, but each path was gone. */
async function tryEach(all: readonly Benchmark[]): Promise<void> {
  const argv = process.argv.slice(2).filter((word) => !all.some(({ name }) => name === word))
  const ended = await eachAlone(
    all.map(({ name }) => name),
    argv,
    quickMs
  )
  unfinished.push(...ended.filter(({ failure }) => failure !== undefined).map(({ name }) => name))
}

async function measureOne(benchmark: Benchmark, options: Options, keeps: boolean): Promise<void> {
  const result = await measure(benchmark, options)
  if (result === undefined) return
  process.stdout.write(`\n${textTable(result)}\n`)
  if (keeps) writeFileSync(join(resultsFolder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

/** Where the history is not whole, no commit is doubted. */
const isKnown = (hash: string): boolean => !hasWholeHistory() || isInHistory(hash)

const unfinished: string[] = []
try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
if (unfinished.length > 0) {
  process.stderr.write(`\ncould not finish at ${commit()}: ${unfinished.join(', ')}; the others did\n`)
  // Processes of those that were given up would keep this one.
  process.exit(1)
}
