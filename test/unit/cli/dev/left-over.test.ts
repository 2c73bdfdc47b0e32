import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  dropNote,
  endOrphans,
  makerOf,
  noteChild,
  noteMaker,
  removeLeftOvers
} from '../../../../src/cli/dev/left-over.ts'
import { ownerOf } from '../../../../src/runtime/files/owner.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let temporary: ReturnType<typeof tempFolder>
const children: ChildProcess[] = []

beforeEach(() => {
  temporary = tempFolder()
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  temporary[Symbol.dispose]()
})

const sleeper = async (): Promise<ChildProcess> => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  children.push(child)
  await once(child, 'spawn')
  return child
}

const namespaceOf = (line: string): string => line.trim().split(' ')[2] ?? ''

/** A folder as `dev` makes it, whose note names these processes. */
const network = (name: string, owners: readonly string[], mode = 0o700): string => {
  const folder = join(temporary.path, name)
  mkdirSync(folder)
  noteMaker(folder)
  const namespace = namespaceOf(readFileSync(join(folder, 'processes'), 'utf8'))
  writeFileSync(join(folder, 'processes'), owners.map((owner) => `${owner} ${namespace}\n`).join(''))
  chmodSync(folder, mode)
  return folder
}

/** Owner line of a process that has ended. */
const deadOwner = async (): Promise<string> => {
  const child = await sleeper()
  const owner = ownerOf(child.pid ?? 0)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  return owner
}

test('a folder of a process that was killed goes, with the frozen process in it', async () => {
  const frozen = await sleeper()
  frozen.kill('SIGSTOP')
  const folder = network('trustnet-dev-a', [await deadOwner()])
  noteChild(folder, frozen.pid)
  const ended = once(frozen, 'exit')
  await removeLeftOvers(temporary.path)
  expect(existsSync(folder)).toBe(false)
  expect(await ended).toEqual([null, 'SIGKILL'])
})

test('folders of those that live, of others, and without a note stay, and no process of another time is ended', async () => {
  const dead = await deadOwner()
  const bystander = await sleeper()
  const another = `${bystander.pid} 1`
  const gone = network('trustnet-dev-gone', [dead, another])
  const stay = [
    network('trustnet-dev-living', [ownerOf(process.pid)]),
    network('trustnet-dev-writable', [dead], 0o777),
    network('somebody-else', [dead]),
    network('trustnet-dev-kept', [dead])
  ]
  dropNote(stay[3] ?? '')
  const elsewhere = network('trustnet-dev-elsewhere', [])
  writeFileSync(join(elsewhere, 'processes'), `${dead} pid:[1]\n`)
  symlinkSync(network('target', [dead]), join(temporary.path, 'trustnet-dev-link'))
  await removeLeftOvers(temporary.path)
  expect(existsSync(gone)).toBe(false)
  expect([...stay, elsewhere, join(temporary.path, 'target')].filter((each) => !existsSync(each))).toEqual([])
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
})

test('a folder that is given names its maker while it lives, and a killed one is no maker', async () => {
  const folder = network('given', [ownerOf(process.pid)])
  expect([makerOf(folder), endOrphans(folder)]).toEqual([String(process.pid), false])
  const left = network('left', [await deadOwner()])
  expect([makerOf(left), endOrphans(left), existsSync(left)]).toEqual([undefined, true, true])
})

test('a temporary folder that cannot be listed hinders nobody', async () => {
  await removeLeftOvers(join(temporary.path, 'none'))
})
