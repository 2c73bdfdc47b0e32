import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createControl } from '../../../src/node/control/create-control.ts'
import { startControlServer } from '../../../src/node/control/server.ts'
import { silentLogger } from '../../../src/runtime/clock-and-logger.ts'
import { runCli } from '../../helpers/control-process.ts'
import { eventually, TestNetwork } from '../../helpers/network.ts'

test('wait --online says how many members of how many are online, and ends when there are enough', async () => {
  await using network = await TestNetwork.create()
  const root = network.node('root')
  await network.join('a')
  const gone = await network.join('gone')
  await gone.stop('done')
  await eventually(async () => (await root.control.peers()).counts.online === 2)
  const path = join(network.folder, 'run', 'root.sock')
  await using _ = await startControlServer({ path, api: createControl(root), logger: silentLogger })
  const wait = async (...argv: string[]) => await runCli(['wait', ...argv, '--node', 'root'], { home: network.folder })
  const late = async (ms: number): ReturnType<typeof wait> => {
    const ran = await wait('--online', '3', '--timeout', `${ms}ms`)
    // This machine was too slow to ask even once.
    return ran.err.includes('3 members online') ? ran : await late(2 * ms)
  }
  expect(await late(500)).toMatchObject({ code: 7, err: expect.stringContaining('3 members online (2 of 3 are)') })
  expect(await wait('--online', '2', '--timeout', '10m')).toMatchObject({ code: 0 })
})
