import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FolderWatch } from '../../../../src/node/stores/folder-watch.ts'
import { eventually } from '../../../helpers/network.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let temp: ReturnType<typeof tempFolder>
let folder: string
let watched: FolderWatch
let changes: number
let isReady: boolean
let lost: Error | undefined
beforeEach(async () => {
  temp = tempFolder()
  folder = join(temp.path, 'shared')
  mkdirSync(join(folder, 'a/b'), { recursive: true })
  writeFileSync(join(folder, 'a/b/file'), '1')
  changes = 0
  isReady = false
  lost = undefined
  watched = begin()
  await eventually(() => isReady)
})
afterEach(() => {
  watched[Symbol.dispose]()
  temp[Symbol.dispose]()
})

const begin = (): FolderWatch =>
  new FolderWatch({
    folder,
    onChange: () => {
      changes++
    },
    onReady: () => {
      isReady = true
    },
    onLost: (error) => {
      lost = error
    }
  })

/** Does something and resolves when it was told. */
async function tells(act: () => void): Promise<void> {
  const before = changes
  act()
  await eventually(() => changes > before)
}

test('tells of files that are new, changed, renamed and gone, at any depth', async () => {
  await tells(() => writeFileSync(join(folder, 'a/b/file'), '2'))
  await tells(() => writeFileSync(join(folder, 'top'), '1'))
  await tells(() => renameSync(join(folder, 'top'), join(folder, 'a/moved')))
  await tells(() => rmSync(join(folder, 'a/moved')))
})

test('tells of what happens in folders that are new, and in one that took the place of another', async () => {
  await tells(() => mkdirSync(join(folder, 'new/deep'), { recursive: true }))
  await tells(() => writeFileSync(join(folder, 'new/deep/file'), '1'))
  await tells(() => {
    rmSync(join(folder, 'a'), { recursive: true })
    mkdirSync(join(folder, 'a/b'), { recursive: true })
  })
  await tells(() => writeFileSync(join(folder, 'a/b/file'), '3'))
  expect(lost).toBeUndefined()
})

test('tells of what happens deep in a folder that was put in the place of another one', async () => {
  mkdirSync(join(temp.path, 'next/b'), { recursive: true })
  await tells(() => {
    renameSync(join(folder, 'a'), join(temp.path, 'before'))
    renameSync(join(temp.path, 'next'), join(folder, 'a'))
  })
  await tells(() => writeFileSync(join(folder, 'a/b/file'), '3'))
})

test('says when the folder itself is gone, and when it never was there', async () => {
  rmSync(folder, { recursive: true })
  await eventually(() => lost !== undefined)
  lost = undefined
  watched = begin()
  await eventually(() => lost !== undefined)
  expect(lost).toMatchObject({ code: 'ENOENT' })
})
