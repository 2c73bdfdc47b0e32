import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { copyStore } from '../helpers/faults/store-faults.ts'
import { tempFolder } from '../helpers/temp.ts'
import { Disk } from './disk.ts'
import { Load } from './load.ts'
import { Promises } from './promises.ts'
import { RootProgram } from './root-program.ts'

type Say = (line: string) => void

/** Longest time at work before the next kill, ms, and of a start that is cut off. */
const workMs = 1_000
const startMs = 1_000
/** One of so many kills comes while the root starts, at work or not. */
const perCutStart = 4

/** A running root in a folder, its members, and what they were told. */
async function underLoad<T>(
  folder: string,
  act: (root: RootProgram, load: Load, promises: Promises) => Promise<T>
): Promise<T> {
  using scratch = tempFolder()
  const root = await RootProgram.make(folder)
  const promises = new Promises(root.keys)
  root.start()
  const load = new Load('member-load', [root.address, root.networkId, scratch.path], promises)
  try {
    await load.works()
    return await act(root, load, promises)
  } catch (error) {
    throw new Error(`the root said last:\n${root.log()}`, { cause: error })
  } finally {
    await load.kill()
    await root.kill()
  }
}

/** Kills `trustnet registry start` so many times while real members use it, and judges its store each time. Gives what was acknowledged. */
export async function killProgramMany(times: number, say: Say = () => {}): Promise<number> {
  using folder = tempFolder()
  return await underLoad(folder.path, async (root, load, promises) => {
    for (let kill = 1; kill <= times; kill++) {
      if (kill % perCutStart === 0) await pause(Math.random() * startMs)
      else {
        await load.works()
        await pause(Math.random() * workMs)
      }
      await root.kill()
      // What starts again is what the kill left, and not what the judge made of it.
      using copy = tempFolder()
      const left = join(copy.path, 'registry.db')
      copyStore(join(folder.path, RootProgram.store), left)
      await promises.judge(left)
      root.start()
      if (kill % 10 === 0) say(`${kill} kills of the program, ${promises.lines} acknowledgements: all kept`)
    }
    // The last life, too, serves whoever was there.
    await load.works()
    return promises.lines
  })
}

/** The same with the power of its disk. */
export async function cutProgramPower(times: number, say: Say = () => {}): Promise<number> {
  using disk = new Disk()
  return await underLoad(disk.path, async (_root, load, promises) => {
    for (let cut = 1; cut <= times; cut++) {
      await load.works()
      await pause(Math.random() * workMs)
      // Whatever is read from here on was acknowledged after the cut, or is not looked at.
      const acknowledged = promises.copy()
      await disk.cut((at) => acknowledged.judge(join(at, RootProgram.store)))
      say(`power cut ${cut} of the program, ${promises.lines} acknowledgements: all kept`)
    }
    return promises.lines
  })
}
