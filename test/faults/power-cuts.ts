import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { copyStore } from '../helpers/store-faults.ts'
import { tempFolder } from '../helpers/temp.ts'
import { makeStage } from '../simulation/stage.ts'
import { Load } from './load.ts'
import { Promises } from './promises.ts'

const run = (program: string, ...given: string[]): void => {
  execFileSync(program, given, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Why the power cannot be cut here; undefined: it can. */
export const whyNoPowerCuts = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'needs root'
  try {
    run('mkfs.xfs', '-V')
    using folder = tempFolder()
    mounted('tmpfs', folder.path, '-t', 'tmpfs')[Symbol.dispose]()
    return undefined
  } catch (error) {
    return `needs mkfs.xfs (Debian's xfsprogs) and the right to mount: ${String(error).split('\n')[0]}`
  }
}

const mounted = (device: string, at: string, ...options: string[]): Disposable => {
  mkdirSync(at, { recursive: true })
  run('mount', ...options, device, at)
  return { [Symbol.dispose]: () => run('umount', '-l', at) }
}

/**
 * A disk in a file on a file system that can clone files: a clone, made at once, is what the disk holds when the power goes. Each one is
 * mounted beside the disk, which repairs its file system as after a power cut, and the store on it is judged by what had been
 * acknowledged before. It keeps the order of writes: a disk that lies about flushes is not modelled.
 */
export async function cutPowerMany(times: number, say: (line: string) => void = () => {}): Promise<number> {
  await using stage = await makeStage()
  using folder = tempFolder()
  const at = (name: string): string => join(folder.path, name)
  run('truncate', '-s', '2G', at('pool.img'))
  run('mkfs.xfs', '-q', '-m', 'reflink=1', at('pool.img'))
  using mounts = new DisposableStack()
  mounts.use(mounted(at('pool.img'), at('pool'), '-o', 'loop'))
  run('truncate', '-s', '256M', at('pool/disk.img'))
  run('mkfs.ext4', '-q', '-F', at('pool/disk.img'))
  mounts.use(mounted(at('pool/disk.img'), at('disk'), '-o', 'loop'))
  const path = at('disk/registry.db')
  copyStore(stage.root, path)
  run('sync')
  const promises = new Promises()
  const load = await Load.start(path, 0, promises)
  try {
    for (let cut = 1; cut <= times; cut++) {
      await pause(50 + Math.random() * 200)
      await judgeClone(at, promises)
      say(`power cut ${cut}, ${promises.lines} acknowledgements: all kept`)
    }
  } finally {
    await load.kill()
  }
  return promises.lines
}

const judgeClone = async (at: (name: string) => string, promises: Promises): Promise<void> => {
  // Whatever is read from the process from here on was acknowledged after the cut, or is not looked at.
  const acknowledged = promises.copy()
  run('cp', '--reflink=always', at('pool/disk.img'), at('pool/cut.img'))
  {
    using mounts = new DisposableStack()
    mounts.use(mounted(at('pool/cut.img'), at('cut'), '-o', 'loop'))
    await acknowledged.judge(at('cut/registry.db'))
  }
  rmSync(at('pool/cut.img'))
}
