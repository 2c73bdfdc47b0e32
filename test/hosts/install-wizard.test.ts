import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../helpers/network.ts'
import { FileRoot, whyNoFileRoots } from './file-root.ts'
import { HostNetwork, whyNoNamespaces } from './host-network.ts'
import { startNameServer } from './name-server.ts'

const whyNoTmux = (): string | undefined => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'needs tmux'
  }
}

const reason = whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoTmux()
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'
if (skipped) process.stderr.write(`test/hosts/install-wizard is skipped: ${reason}\n`)

const program = resolve('dist/bin/trustnet.js')
const server = `trustnet-wizard-${process.pid}`

describe.skipIf(skipped)('the wizard on a real terminal', () => {
  let network: HostNetwork
  let root: FileRoot

  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], { encoding: 'utf8', stdio: 'pipe' })
  /** All that was on the screen so far, without the spaces at line ends. */
  const screen = (): string => tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'w').replaceAll(/ +$/gm, '')
  const keys = (...names: string[]): string => tmux('send-keys', '-t', 'w', ...names)
  const shows = async (text: string | RegExp, ms = 30_000): Promise<void> =>
    await eventually(() => (typeof text === 'string' ? screen().includes(text) : text.test(screen())), ms, screen)
  const start = (...args: string[]): void => {
    const { namespace } = network.host('w')
    const command = ['ip', 'netns', 'exec', namespace, ...root.inside(process.execPath, program, 'install', ...args)]
    const script = join(network.host('w').folder, 'start.sh')
    // The pane stays when the command has ended, so that its last lines can be read.
    writeFileSync(script, `exec ${command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}\n`)
    tmux('new-session', '-d', '-s', 'w', '-x', '100', '-y', '50', 'sh', script)
    tmux('set-option', '-t', 'w', 'remain-on-exit', 'on')
  }
  const ended = (): boolean => tmux('display-message', '-p', '-t', 'w', '#{pane_dead}').trim() === '1'

  beforeAll(async () => {
    if (reason !== undefined) throw new Error(`CI must be able to run the wizard: ${reason}`)
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'w'])
    network.useNameServer(network.host('dns').address)
    await startNameServer(network, 'dns', 'example.test', [])
    root = new FileRoot()
    mkdirSync(join(root.path, 'opt'), { recursive: true })
  }, 60_000)

  afterAll(() => {
    execFileSync('tmux', ['-L', server, 'kill-server'], { stdio: 'ignore' })
    network?.[Symbol.dispose]()
    root?.[Symbol.dispose]()
  })

  it('Ctrl-C at a question ends it, and nothing was changed', async () => {
    start()
    await shows('What is this machine to be?')
    expect(screen()).toMatch(/❯ 3 {2}integrated/)
    keys('C-c')
    await eventually(ended)
    expect(existsSync(join(root.path, 'opt/trustnet'))).toBe(false)
    expect(existsSync(join(root.path, 'var/lib/trustnet-install'))).toBe(false)
    tmux('kill-session', '-t', 'w')
  }, 60_000)

  it('asks all it has to know, shows machine, record and summary, and installs', async () => {
    start()
    await shows('What is this machine to be?')
    keys('Up', 'Up', 'Enter')
    await shows('Domain of the network')
    keys('no domain', 'Enter')
    await shows(/is no domain|domain/)
    keys('C-u', 'example.test', 'Enter')
    await shows('Name of this machine in the network')
    keys('tnr-1', 'Enter')
    await shows('Who is let in?')
    keys('Enter')
    await shows('Who writes the DNS record?')
    keys('Enter')
    await shows('This machine')
    await shows('DNS record')
    const { address } = network.host('w')
    expect(screen()).toMatch(
      new RegExp(`Name +tnr\\.example\\.test[\\s\\S]*Type +AAAA[\\s\\S]*TTL +300[\\s\\S]*Value +${address}`)
    )
    expect(screen()).toContain('Amazon Route 53')
    expect(screen()).toContain('Cloudflare')
    await shows('Enter goes on without it')
    keys('Enter')
    await shows('Going on without tnr.example.test')
    await shows('What will be installed')
    await shows('Install it now?')
    keys('Enter')
    await shows('The node runs under this command', 120_000)
    for (const step of ['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7']) expect(screen()).toContain(`[${step}]`)
    expect(screen()).toMatch(/Name +tnr-1[\s\S]*Status +healthy/)
    expect(screen()).toMatch(/Passphrase +([0-9a-f]{4}-){7}[0-9a-f]{4}/)
    keys('C-c')
    await eventually(ended)
  }, 240_000)
})
