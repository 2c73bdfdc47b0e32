import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { partPrefix } from '../../../../src/content/names.ts'
import { sha256 } from '../../../../src/identity/hash.ts'
import { filesOf } from '../../../helpers/content/blocks.ts'
import { followApart, shareFolder } from '../../../helpers/content/follower.ts'
import { memoryFolder } from '../../../helpers/temp.ts'

test('a follower that is killed again and again goes on, and leaves whole blocks and whole files alone', async () => {
  using temp = memoryFolder()
  const at = (name: string): string => join(temp.path, name)
  mkdirSync(at('shared/sub'), { recursive: true })
  for (let i = 0; i < 5; i++)
    writeFileSync(at(`shared/${i % 2 === 0 ? '' : 'sub/'}file ${i}`), randomBytes(i * 150_000))
  const shared = await shareFolder(at('shared'), at('source'))
  const asked: string[] = []
  let kills = 0
  const told = new Set<string>()
  for (; !told.has('done'); kills++) {
    const most = kills < 6 ? kills + 1 : 1_000
    let lines = 0
    await followApart(shared, temp.path, (line, kill) => {
      if (line.startsWith('block ')) asked.push(line)
      told.add(line)
      if (++lines >= most) kill()
    })
    const blocks = readdirSync(at('stores/blocks'), { recursive: true, withFileTypes: true })
    for (const block of blocks.filter((each) => each.isFile() && !each.name.startsWith('.part-'))) {
      const path = join(block.parentPath, block.name)
      const digest = Buffer.from(sha256(readFileSync(path))).toString('hex')
      expect(path.replace(/^.*blocks/, '').replaceAll('/', '')).toBe(digest)
    }
    const whole = Object.entries(filesOf(at('shared')))
    for (const [name, content] of existing(at('target'))) expect(whole).toContainEqual([name, content])
  }
  expect(filesOf(at('target'))).toEqual(filesOf(at('shared')))
  // Those that were being stored when it was killed, eight at most, are asked for again, and no other.
  expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(8 * kills)
})

/** Files that have their own names by now. */
function existing(folder: string): [string, string][] {
  try {
    return Object.entries(filesOf(folder)).filter(([name]) => !name.includes(partPrefix))
  } catch {
    return []
  }
}
