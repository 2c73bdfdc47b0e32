import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tasks } from '../../../../src/install/apply/as-owner/tasks.ts'
import { dataFiles, filesOfNetwork } from '../../../../src/node/config/paths.ts'
import { ownerOf } from '../../../../src/runtime/files/owner.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const passphrase = 'a passphrase of some length'

/** A data folder, and the configuration of a root over it. */
const place = (folder: string): { configFile: string; data: string } => {
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  const configFile = join(folder, 'root.yaml')
  const lines = ['name: root', 'role: root', 'domain: make-network.invalid', 'paths:', `  data: ${data}`]
  writeFileSync(configFile, `${lines.join('\n')}\n`)
  return { configFile, data }
}

it('an installer that was broken off after any file of its network makes it anew', async () => {
  using folder = tempFolder()
  const { configFile, data } = place(folder.path)
  const files = filesOfNetwork(data).filter((path) => path !== dataFiles(data).recoveryKit)
  expect(await tasks.hasNetwork({ data })).toBe(false)
  for (const path of files) writeFileSync(path, 'half\n', { mode: 0o600 })
  expect(await tasks.makeNetwork({ configFile, data, passphrase, there: false })).toMatch(/^tn/)
  expect(existsSync(dataFiles(data).recoveryKit)).toBe(true)
})

it('an installer leaves alone what another process is making, and what a killed one left is made anew', async () => {
  using folder = tempFolder()
  const { configFile, data } = place(folder.path)
  const { logKey, unfinished } = dataFiles(data)
  writeFileSync(logKey, 'half\n', { mode: 0o600 })
  writeFileSync(unfinished, `${ownerOf(process.ppid)}\n\n`)
  const make = () => tasks.makeNetwork({ configFile, data, passphrase, there: false })
  await expect(make()).rejects.toThrow(`process ${process.ppid} is making a network`)
  expect(readFileSync(logKey, 'utf8')).toBe('half\n')
  writeFileSync(unfinished, `${process.ppid} 1\n\n`)
  expect(await make()).toMatch(/^tn/)
})

it('an installer takes away no key of a network that was there before it and has lost its store', async () => {
  using folder = tempFolder()
  const { configFile, data } = place(folder.path)
  const { store, logKey, recoveryKit, nextRecoveryKit } = dataFiles(data)
  await tasks.makeNetwork({ configFile, data, passphrase, there: false })
  const key = readFileSync(logKey, 'utf8')
  // The kits were moved to a safe place, as they should be.
  for (const path of [store, recoveryKit, nextRecoveryKit]) rmSync(path)
  const there = await tasks.hasNetwork({ data })
  await expect(tasks.makeNetwork({ configFile, data, passphrase, there })).rejects.toThrow('is there already')
  expect(readFileSync(logKey, 'utf8')).toBe(key)
})
