import { execFile } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { copyFrom } from '../../../../src/cli/access/copy-file.ts'
import { tempFolder } from '../../../helpers/temp.ts'

const built = fileURLToPath(new URL('../../../../dist/src/cli/access/copy-file.js', import.meta.url))

/** Copies in a process of its own whose files have so many KiB at most; gives what it says. */
const limited = async (kib: number, from: string, to: string): Promise<string> => {
  const script = `import { openSync } from 'node:fs'
    const { copyFrom } = await import(process.argv[1])
    try {
      copyFrom(openSync(process.argv[2], 'r'), process.argv[3])
      console.log('done')
    } catch (error) {
      console.log(error.code)
    }`
  const argv = ['--input-type=module', '-e', script, built, from, to]
  const limit = ['-c', 'ulimit -f "$0"; exec "$@"', `${kib}`, process.execPath, ...argv]
  return (await promisify(execFile)('bash', limit)).stdout.trim()
}

describe('a copy', () => {
  it.each([0, 1, 256 * 1024, 300 * 1024])('of %i bytes is whole, and takes no place of another file', (size) => {
    using folder = tempFolder()
    const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')]
    writeFileSync(from, Buffer.alloc(size, 'x'))
    const file = openSync(from, 'r')
    copyFrom(file, to)
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true)
    expect(() => copyFrom(file, to)).toThrow('EEXIST')
    expect(existsSync(to)).toBe(true)
    closeSync(file)
  })

  it.each([100, 280, 300])('that the system takes %i KiB of is whole or not there', async (kib) => {
    using folder = tempFolder()
    const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')]
    writeFileSync(from, Buffer.alloc(300 * 1024, 'x'))
    const said = await limited(kib, from, to)
    expect({ said, isThere: existsSync(to) }).toEqual(
      kib === 300 ? { said: 'done', isThere: true } : { said: 'EFBIG', isThere: false }
    )
  })
})
