import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const program = resolve('dist/bin/trustnet.js')
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const asRoot = ['install', '--yes', '--role', 'root', '--domain', 'example.test', '--name', 'tnr']
const installing = [...asRoot, '--deployment', 'foreground', '--verbose']

interface Ended {
  code: number | null
  log: string
}

describeUnless(whyNoNamespaces() ?? whyNoFileRoots())('an installer that is broken off', () => {
  let network: HostNetwork
  let root: FileRoot
  let runs = 0

  const inside = (...command: string[]): string => network.run('m', root.inside(...command))
  const trustnet = (...args: string[]): string => inside(process.execPath, program, ...args)
  const status = (): StatusView => JSON.parse(trustnet('status', '--json'))
  const listing = (): string =>
    inside(
      'sh',
      '-c',
      "find /etc /opt /usr/local/bin /usr/local/share/man /var/lib/trustnet* -xdev -printf '%p %m %u %y %l\\n' 2>/dev/null | sort"
    )
      .split('\n')
      .filter((line) => !/^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd\.lock|netns)/.test(line))
      .join('\n')

  /** Runs a command, which gets the signal when so many of its changes have been told, or that text. */
  const brokenOff = async (argv: string[], text: string, signal: NodeJS.Signals, at = Infinity): Promise<Ended> => {
    const label = `run-${++runs}`
    const child = network.start('m', label, root.inside(process.execPath, program, ...argv))
    const log = (): string => network.log('m', label)
    const isThere = (): boolean =>
      log().includes(text) || (log().match(/^( {6}(?!\d+ files)|undone: )\S/gm)?.length ?? 0) >= at
    await eventually(() => isThere() || child.exitCode !== null)
    child.kill(signal)
    await eventually(() => child.exitCode !== null || child.signalCode !== null)
    return { code: child.exitCode, log: log() }
  }

  /** Breaks it off at its first change, then at a later one each time, until it comes to its end. */
  const untilDone = async (argv: string[], end: string, said: string): Promise<number> => {
    for (let n = 0; ; n++) {
      const signal = signals[n % signals.length] ?? 'SIGINT'
      const { code, log } = await brokenOff(argv, end, signal, 1 + 3 * n)
      if (log.includes(end)) return n
      expect({ code, log }).toEqual({
        code: 128 + constants.signals[signal],
        log: expect.stringContaining(`Interrupted by ${signal}: ${said}`)
      })
      expect(log).not.toMatch(/^error|abort|^ +at /im)
    }
  }

  beforeAll(() => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['m'])
    network.useNameServer(network.host('m').address)
    root = new FileRoot()
  })

  afterAll(() => {
    network?.[Symbol.dispose]()
    root?.[Symbol.dispose]()
  })

  it('at any of its changes says so and leaves 128 + n, goes on with the same command, and is taken back likewise', async () => {
    const before = listing()
    const inJournal = 'what was done is in the journal: the same command goes on with it'
    expect(await untilDone(installing, 'The node runs under this command', inJournal)).toBeGreaterThan(3)
    const { code, log } = await brokenOff(installing, 'The node runs under this command', 'SIGTERM')
    expect({ code, log }).toMatchObject({ code: 0 })
    const left = 'what is not taken back yet is in the journal'
    await untilDone(['uninstall', '--purge', '--yes'], 'is uninstalled', left)
    expect(listing()).toBe(before)
  })

  it('without a reader install and uninstall come to their ends, and a full disk is told', async () => {
    const before = listing()
    const command = root.inside(process.execPath, program, ...installing)
    // A reader that is gone before the first line: what lies in the pipe when one goes later, no writer can tell from what was read.
    const piped = ['bash', '-c', 'set -o pipefail; "$@" 2>/dev/null | true; echo "code $?"', 'bash', ...command]
    const child = network.start('m', 'piped', piped)
    await eventually(() => {
      try {
        return status().word === 'healthy'
      } catch {
        // Not up yet: asked again until the deadline.
        return false
      }
    })
    const parent = /^PPid:\s*(\d+)$/m.exec(inside('cat', `/proc/${status().self.pid}/status`))?.[1] ?? ''
    // The card comes when the node works, and the installer stays.
    await eventually(() => inside('cat', '/var/lib/trustnet-install/tnr.json').includes('"finished": true'))
    execFileSync('kill', ['-TERM', parent])
    await eventually(() => child.exitCode !== null)
    expect(network.log('m', 'piped')).toMatch(/code 143\n$/)
    const { log } = await brokenOff(installing, 'The node runs under this command', 'SIGTERM')
    // The passphrase that nobody has read was kept.
    expect(log).toMatch(/Passphrase +([0-9a-f]{4}-){7}[0-9a-f]{4}/)
    const uninstalling = (flags: string, output: string): string =>
      inside('bash', '-c', `"$@" ${output}`, 'bash', process.execPath, program, 'uninstall', ...flags.split(' '))
    const full = uninstalling('--plan', '2>&1 >/dev/full; echo "code $?"')
    expect(full).toMatch(/could not be written.*code 1\n$/s)
    expect(uninstalling('--purge --yes', '2>&1 | true; echo "code $PIPESTATUS"')).toMatch(/code 0\n$/)
    expect(listing()).toBe(before)
  })
})
