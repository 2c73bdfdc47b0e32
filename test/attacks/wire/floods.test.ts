import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { hungMs } from '../../helpers/ceiling.ts'
import { tempFolder } from '../../helpers/temp.ts'
import { attack, control } from '../attack.ts'

interface Result {
  readonly name: string
  readonly lines: string[]
  readonly faults: string[]
  readonly named: string[]
  readonly happened: number
}

/** The floods, and whether their culprit exceeds a limit that is counted. Others are refused one by one, or starve by themselves. */
const floods: Readonly<Record<string, boolean>> = {
  'streams opened and reset by a stranger': true,
  'frames of the muxer': true,
  'empty frames on a stream': true,
  'ping streams': true,
  'kad, messages of all types': true,
  'identify, pushes': true,
  'gossip, control messages': true,
  'kad, empty peers': true,
  'costly lookups': true,
  'stream flood': true,
  'oversized frames': true,
  'tiny frames': true,
  'truncated frames': true,
  'silent streams': true,
  'many connections': true,
  'gossip, valid': true,
  'gossip, forged': true,
  'gossip, invalid': true,
  'gossip, oversized': true,
  'gossip, replayed': true,
  'gossip, future heads': true,
  'slow readers': false,
  'record poisoning': true,
  reflection: true
}

const program = 'dist/bench/hostile/main.js'
const results = new Map<string, Result>()

async function run(...args: string[]): Promise<Result[]> {
  using folder = tempFolder()
  const file = join(folder.path, 'results.json')
  const command = [program, '--short', '--json', file, ...args]
  // Its own exit code says no more than the faults of the results.
  const output = await new Promise<string>((resolve) =>
    execFile(process.execPath, command, { timeout: 2 * hungMs }, (_error, out, err) => resolve(out + err))
  )
  try {
    const all: Result[] = JSON.parse(readFileSync(file, 'utf8'))
    return all
  } catch (error) {
    throw new Error(`the floods did not come to their end: ${output}`, { cause: error })
  }
}

beforeAll(async () => {
  for (const result of await run()) results.set(result.name, result)
  // The program is ended before, and has said how far it came.
}, 3 * hungMs)

const resultOf = (name: string): Result => {
  const result = results.get(name)
  if (result === undefined) throw new Error(`${name} did not run`)
  return result
}

describe('a root and a node beside honest joins and lookups', () => {
  for (const [name, isNamed] of Object.entries(floods)) {
    attack(name, async () => {
      const { lines, faults, named, happened } = resultOf(name)
      expect(faults).toEqual([])
      expect(happened).toBeGreaterThan(0)
      if (isNamed) expect(named).not.toEqual([])
      return {
        happened: lines.join('; ').replaceAll(/ +/g, ' '),
        held: named.join(', ') || 'limits that refuse one by one'
      }
    })
  }

  control('without an attack all work is done and nobody is named', async () => {
    expect(resultOf('none')).toMatchObject({ faults: [], named: [] })
  })

  control('each flood that there is was run', async () => {
    expect([...results.keys()].toSorted()).toEqual(['none', ...Object.keys(floods)].toSorted())
  })
})
