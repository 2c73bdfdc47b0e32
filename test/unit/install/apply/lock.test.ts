import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { asOnlyInstaller } from '../../../../src/install/apply/lock.ts'
import { OperatorError } from '../../../../src/install/errors.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const folder = tempFolder()
afterAll(() => folder[Symbol.dispose]?.())

it('one installer runs at a time, and says who the other one is', async () => {
  const path = join(folder.path, 'one')
  const done = await asOnlyInstaller(async () => {
    const second = asOnlyInstaller(async () => 'both', path)
    await expect(second).rejects.toThrow(OperatorError)
    await expect(second).rejects.toThrow(`(process ${process.pid})`)
    return 'first'
  }, path)
  expect([done, existsSync(path)]).toEqual(['first', false])
})

it('the lock of one that was killed, or whose number another process has by now, is taken over', async () => {
  const path = join(folder.path, 'killed')
  const read = async (): Promise<string> => readFileSync(path, 'utf8')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const { pid } = child
  if (pid === undefined) throw new Error('no child')
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  writeFileSync(path, `${pid} ${start}\n`)
  await expect(asOnlyInstaller(read, path)).rejects.toThrow(`(process ${pid})`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await asOnlyInstaller(read, path)).toMatch(new RegExp(`^${process.pid} \\d+\n$`))
  writeFileSync(path, `${process.pid} 1\n`)
  expect(await asOnlyInstaller(read, path)).not.toContain(' 1\n')
})
