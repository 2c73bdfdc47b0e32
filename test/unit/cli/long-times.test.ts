import { expect, test } from 'vitest'
import { runCli } from '../../helpers/control-process.ts'
import { tempFolder } from '../../helpers/temp.ts'

const where = ['--domain', 'a.test']

test.each([
  ['wait', '--timeout'],
  ['dns', 'check', ...where, '--watch', '--every'],
  ['dns', 'set', ...where, '--add', '2001:db8::1', '--provider', 'manual', '--wait']
])('a time that no timer takes is refused, and does not end at once: %s %s', async (...argv) => {
  using folder = tempFolder()
  for (const time of ['25d', '60d', '9999d']) {
    const { code, out, err } = await runCli([...argv, time], { home: folder.path })
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: expect.stringContaining('of 24d at most') })
  }
})
