import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FileRoot, whyNoFileRoots } from '../file-root.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'
import { startNameServer } from '../name-server.ts'

const whyNoTmux = (): string | undefined => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'pipe' })
    return undefined
  } catch {
    return 'needs tmux'
  }
}

const program = resolve('dist/bin/trustnet.js')
const server = `trustnet-wizard-${process.pid}`

interface Screen {
  columns?: number
  env?: Record<string, string>
}

describeUnless(whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoTmux())('the wizard on a real terminal', () => {
  let network: HostNetwork
  let root: FileRoot

  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], { encoding: 'utf8', stdio: 'pipe' })
  /** All that was on the screen so far, without the spaces at line ends. */
  const screen = (): string => tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'w').replaceAll(/ +$/gm, '')
  const keys = (...names: string[]): string => tmux('send-keys', '-t', 'w', ...names)
  const shows = async (text: string | RegExp, ms = ceilingMs): Promise<void> =>
    await eventually(() => (typeof text === 'string' ? screen().includes(text) : text.test(screen())), ms, screen)
  const start = (args: string[] = [], { columns = 100, env = {} }: Screen = {}): void => {
    const { namespace } = network.host('w')
    const command = ['ip', 'netns', 'exec', namespace, ...root.inside(process.execPath, program, 'install', ...args)]
    const script = join(network.host('w').folder, 'start.sh')
    // The pane stays when the command has ended, so that its last lines can be read.
    const settings = Object.entries(env).map(([name, value]) => `export ${name}=${value}\n`)
    writeFileSync(
      script,
      `${settings.join('')}exec ${command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}\n`
    )
    // One that a failed test has left behind.
    spawnSync('tmux', ['-L', server, 'kill-session', '-t', 'w'], { stdio: 'ignore' })
    tmux('new-session', '-d', '-s', 'w', '-x', String(columns), '-y', '50', 'sh', script)
    tmux('set-option', '-t', 'w', 'remain-on-exit', 'on')
  }
  /** What was typed so far is no longer on the screen when the next question is. */
  const answer = async (question: string | RegExp, ...names: string[]): Promise<void> => {
    await shows(question)
    keys(...names)
  }
  /** Status that the HTTP API answers with; '': nobody answers. */
  const statusOf = (host: string, listen: string, token = ''): string => {
    const headers = token === '' ? '{}' : `{ authorization: 'Bearer ${token}' }`
    const ask = `fetch('http://${listen}/version', { headers: ${headers} }).then((said) => console.log(said.status), () => {})`
    return network.run(host, [process.execPath, '-e', ask]).trim()
  }
  const nothingChanged = (): void => {
    for (const path of ['opt/trustnet', 'etc/trustnet', 'var/lib/trustnet-install', 'var/lib/trustnet'])
      expect(existsSync(join(root.path, path))).toBe(false)
  }
  const leave = async (): Promise<void> => {
    keys('C-c')
    await eventually(ended)
    tmux('kill-session', '-t', 'w')
  }
  const ended = (): boolean => tmux('display-message', '-p', '-t', 'w', '#{pane_dead}').trim() === '1'

  beforeAll(async () => {
    if (!existsSync(program)) throw new Error('dist is missing: npm run build')
    network = new HostNetwork(['dns', 'w', 'r'])
    network.useNameServer(network.host('dns').address)
    await startNameServer(network, 'dns', 'example.test', [])
    root = new FileRoot()
    mkdirSync(join(root.path, 'opt'), { recursive: true })
  })

  afterAll(() => {
    execFileSync('tmux', ['-L', server, 'kill-server'], { stdio: 'ignore' })
    network?.[Symbol.dispose]()
    root?.[Symbol.dispose]()
  })

  it('Ctrl-C at the first question ends it, and nothing was changed', async () => {
    start()
    await shows('What is this machine to be?')
    expect(screen()).toMatch(/❯ 3 {2}integrated/)
    await leave()
    nothingChanged()
  })

  it('goes on by itself when the record appears at the name server; Ctrl-C at the last question leaves nothing', async () => {
    start(['--role', 'root', '--domain', 'example.test', '--name', 'r', '--policy', 'invite', '--http=false'])
    await answer('Who writes the DNS record?', 'Enter')
    await shows('Enter goes on without it')
    const { folder } = network.host('dns')
    const knotc = (...args: string[]): string => network.run('dns', ['knotc', '-s', join(folder, 'knot.sock'), ...args])
    knotc('zone-begin', 'example.test')
    knotc('zone-set', 'example.test', 'tnr', '60', 'AAAA', network.host('w').address)
    knotc('zone-commit', 'example.test')
    await shows('tnr.example.test is there.')
    await shows('Install it now?')
    await leave()
    nothingChanged()
    knotc('zone-begin', 'example.test')
    knotc('zone-unset', 'example.test', 'tnr')
    knotc('zone-commit', 'example.test')
  })

  it('a check that fails can be mended and looked at again, without another answer', async () => {
    const listener = "require('net').createServer().listen({ host: '::', port: 8000 }, () => console.log('listens'))"
    const child = network.start('w', 'listener', [process.execPath, '-e', listener])
    await eventually(() => network.log('w', 'listener').includes('listens'))
    start(['--role', 'root', '--domain', 'example.test', '--name', 'r', '--policy', 'invite', '--http=false'])
    await answer('Who writes the DNS record?', 'Enter')
    await shows(/fail {2}Port 8000 +\w+ \(pid \d+\) listens there already/)
    await answer('Look again?', 'Enter')
    await shows(/Checks:[\s\S]*Checks:[\s\S]*Look again\?/)
    child.kill()
    await eventually(() => child.exitCode !== null || child.signalCode !== null)
    keys('Enter')
    await shows('Enter goes on without it')
    expect(screen()).toMatch(/pass {2}Port 8000 +free/)
    await leave()
    nothingChanged()
  })

  it('on a narrow terminal without colours nothing is wider than it, and nothing is coloured', async () => {
    const args = ['--role', 'root', '--domain', 'example.test', '--name', 'r', '--policy', 'invite', '--http=false']
    start([...args, '--dns-provider', 'manual'], { columns: 60, env: { NO_COLOR: '1' } })
    await shows('Enter goes on')
    keys('Enter')
    await shows('Install it now?')
    const raw = tmux('capture-pane', '-p', '-e', '-S', '-', '-t', 'w')
    // Colours alone: where the cursor is and what is bold is no colour.
    const sequences = raw.split('\u001B[').slice(1)
    expect(sequences.filter((text) => /^[0-9;]*3[0-7]m/.test(text))).toEqual([])
    const frames = raw.split('\n').filter((line) => /[┌│└├]/.test(line))
    expect(frames.filter((line) => !/^[┌│└├].*[┐│┘┤]$/.test(line.trimEnd()))).toEqual([])
    expect(frames.length).toBeGreaterThan(15)
    await leave()
    nothingChanged()
  })

  it('takes a pasted invite, says what is wrong with another, never shows it, and joins with it', async () => {
    const { folder } = network.host('r')
    const env = { TRUSTNET_HOME: folder }
    const cli = (...args: string[]): string => network.run('r', [process.execPath, program, ...args], env)
    cli('init', '--name', 'tnr', '--domain', 'example.test', '--new-network')
    network.start('r', 'root', [process.execPath, program, 'registry', 'start'], env)
    let line = ''
    await eventually(() => {
      try {
        line = cli('invite').trim()
        return true
      } catch {
        // Not up yet: asked again until the deadline.
        return false
      }
    })
    start(['--name', 'pasted', '--http', '[::]:9443'])
    await answer('What is this machine to be?', 'Enter')
    await answer('What is the network recognised by?', 'Enter')
    await shows('Paste the invite line')
    tmux('send-keys', '-t', 'w', '-l', 'tnet1nonsense')
    keys('Enter')
    await shows('the end of the invite is missing')
    expect(screen()).not.toContain('nonsense')
    keys('C-u')
    tmux('send-keys', '-t', 'w', '-l', line)
    keys('Enter')
    await answer('Install it now?', 'Enter')
    await shows('The node runs under this command')
    expect(screen()).toMatch(/Name +pasted[\s\S]*Role +integrated[\s\S]*Status +healthy[\s\S]*Registry +tnr/)
    expect(screen()).not.toContain(line.slice(0, 40))
    // Other machines reach that address: it answers who has the token that was made, which nobody was shown.
    const token = readFileSync(join(root.path, 'etc/trustnet/pasted.http-token'), 'utf8').trim()
    expect(screen()).toContain('token in /etc/trustnet/pasted.http-token')
    expect(screen()).not.toContain(token)
    await eventually(() => statusOf('w', '[::1]:9443', token) === '200')
    expect(statusOf('w', '[::1]:9443')).toBe('401')
    await leave()
    network.run('w', root.inside('trustnet', 'uninstall', '--purge'))
    nothingChanged()
  })

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
    await answer('over HTTP, at [::1]:8400?', 'y', 'Enter')
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
    await shows('The node runs under this command')
    for (const step of ['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7']) expect(screen()).toContain(`[${step}]`)
    expect(screen()).toMatch(/Name +tnr-1[\s\S]*Status +healthy[\s\S]*HTTP +\[::1\]:8400/)
    await eventually(() => statusOf('w', '[::1]:8400') === '200')
    expect(screen()).toMatch(/Passphrase +([0-9a-f]{4}-){7}[0-9a-f]{4}/)
    keys('C-c')
    await eventually(ended)
  })
})
