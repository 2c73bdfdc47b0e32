import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { copyStore } from '../helpers/faults/store-faults.ts'
import { makeStage } from '../simulation/stage.ts'
import { Disk } from './disk.ts'
import { Load } from './load.ts'
import { Promises, stageKeys } from './promises.ts'

const store = 'registry.db'

/** Cuts the power of a registry under load so many times, and judges each time what its disk holds by what had been acknowledged before. */
export async function cutPowerMany(times: number, say: (line: string) => void = () => {}): Promise<number> {
  await using stage = await makeStage()
  using disk = new Disk()
  const path = join(disk.path, store)
  copyStore(stage.root, path)
  disk.flush()
  const promises = new Promises(stageKeys)
  const load = new Load('loaded-registry', [path, '0'], promises)
  try {
    await load.works()
    for (let cut = 1; cut <= times; cut++) {
      await pause(50 + Math.random() * 200)
      // Whatever is read from the process from here on was acknowledged after the cut, or is not looked at.
      const acknowledged = promises.copy()
      await disk.cut((at) => acknowledged.judge(join(at, store)))
      say(`power cut ${cut}, ${promises.lines} acknowledgements: all kept`)
    }
  } finally {
    await load.kill()
  }
  return promises.lines
}
