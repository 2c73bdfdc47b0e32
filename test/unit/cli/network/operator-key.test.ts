import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../../helpers/control-process.ts'
import { tempFolder } from '../../../helpers/temp.ts'

test.each([[], ['--passphrase']])(
  'a key of an operator whose public file cannot be written is not left behind %j',
  async (...option) => {
    using folder = tempFolder()
    const key = join(folder.path, 'ann.key')
    symlinkSync('/nowhere/ann.key.pub', `${key}.pub`)
    const env = { TRUSTNET_OPERATOR_PASSPHRASE: 'a passphrase of some length' }
    const { code, err } = await runCli(['operator', 'key', key, ...option], { home: folder.path, env })
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('is a link to /nowhere/ann.key.pub') })
    expect(readdirSync(folder.path)).toEqual(['ann.key.pub'])
  }
)
