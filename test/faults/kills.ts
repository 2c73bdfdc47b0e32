import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { copyStore } from '../helpers/faults/store-faults.ts'
import { tempFolder } from '../helpers/temp.ts'
import { makeStage } from '../simulation/stage.ts'
import { Load } from './load.ts'
import { Promises, stageKeys } from './promises.ts'

/** Longest time under load before the next kill, ms. */
const lifeMs = 150

/** Kills a registry under load so many times, each time at another moment, and judges its store each time. Gives what was acknowledged. */
export async function killMany(times: number, say: (line: string) => void = () => {}): Promise<number> {
  await using stage = await makeStage()
  // On a disk: what a crash leaves in the write-ahead log is there.
  using folder = tempFolder()
  const path = join(folder.path, 'registry.db')
  copyStore(stage.root, path)
  const promises = new Promises(stageKeys)
  for (let life = 0; life < times; life++) {
    const load = new Load('loaded-registry', [path, String(life)], promises)
    try {
      await load.works()
      await pause(Math.random() * lifeMs)
    } finally {
      await load.kill()
    }
    await promises.judge(path)
    if ((life + 1) % 20 === 0) say(`${life + 1} kills, ${promises.lines} acknowledgements: all kept`)
  }
  return promises.lines
}
