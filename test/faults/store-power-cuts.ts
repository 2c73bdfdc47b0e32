import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { partPrefix } from '../../src/content/names.ts'
import { filesOf } from '../helpers/content/blocks.ts'
import { followApart, shareFolder } from '../helpers/content/follower.ts'
import { tempFolder } from '../helpers/temp.ts'
import { Disk } from './disk.ts'

const filesOfStore = 24

/** A store that was followed until the power went. */
interface Cut {
  /** Lines that the follower had told. */
  readonly told: number
  /** It had said that all blocks are there, or all files. */
  readonly isHere: boolean
  readonly isDone: boolean
}

/**
 * Cuts the power of a disk to which a store is fetched and written, so many times, each at another line that its follower tells. What the
 * disk holds then has whole files alone; what was said to be there is; and a start from there brings the rest.
 */
export async function cutStorePower(times: number, say: (line: string) => void = () => {}): Promise<number> {
  using temp = tempFolder()
  const folder = join(temp.path, 'shared')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  for (let file = 0; file < filesOfStore; file++)
    writeFileSync(join(folder, file % 2 === 0 ? '' : 'sub', `file ${file}`), randomBytes(file * 40_000))
  const shared = await shareFolder(folder, join(temp.path, 'blocks'))
  const whole = filesOf(folder)
  let asked = 0
  for (let cut = 1; cut <= times; cut++) {
    using disk = new Disk()
    disk.flush()
    const state = await followUntil(shared, disk, cut === times ? 0 : 1 + Math.floor(Math.random() * 60))
    await disk.cut(async (at) => {
      requireWhole(join(at, 'target'), whole)
      if (state.isHere) requireAll(join(at, 'stores/blocks'), filesOf(shared.blocks))
      const again = await goOn(shared, at)
      if (state.isHere && again > 0) throw new Error(`${again} blocks that were said to be there are lost`)
      if (JSON.stringify(filesOf(join(at, 'target'))) !== JSON.stringify(whole))
        throw new Error('files are missing or changed after the next start')
      asked += again
    })
    say(`power cut ${cut} of a store at line ${state.told}${state.isDone ? ', all written' : ''}: nothing lost`)
  }
  return asked
}

/** Follows until it has told so many lines, with 0 until all is written, and leaves the disk as it is then. */
async function followUntil(shared: Awaited<ReturnType<typeof shareFolder>>, disk: Disk, until: number): Promise<Cut> {
  let told = 0
  const lines = new Set<string>()
  await followApart(
    shared,
    disk.path,
    (line) => {
      lines.add(line)
      told++
    },
    until
  )
  return { told, isHere: lines.has('here'), isDone: lines.has('done') }
}

/** Gives the number of blocks that the next process asks for, until all is written. */
async function goOn(shared: Awaited<ReturnType<typeof shareFolder>>, at: string): Promise<number> {
  let asked = 0
  await followApart(shared, at, (line) => {
    if (line.startsWith('block ')) asked++
  })
  return asked
}

/** @throws when a file that has its own name is not as it should be */
function requireWhole(target: string, whole: Readonly<Record<string, string>>): void {
  let files: Record<string, string>
  try {
    files = filesOf(target)
  } catch {
    // Nothing was written yet.
    return
  }
  const broken = Object.entries(files).filter(
    ([name, content]) => !name.includes(partPrefix) && whole[name] !== content
  )
  if (broken.length > 0) throw new Error(`after a power cut ${broken.map(([name]) => name).join(', ')} is half written`)
}

/** @throws when a block is not there that was said to be */
function requireAll(folder: string, blocks: Readonly<Record<string, string>>): void {
  const there = filesOf(folder)
  const lost = Object.keys(blocks).filter((name) => there[name] !== blocks[name])
  if (lost.length > 0)
    throw new Error(`${lost.length} of ${Object.keys(blocks).length} blocks are lost that were there`)
}
