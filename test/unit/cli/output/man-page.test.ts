import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandTree } from '../../../helpers/commands/command-tree.ts'
import { ControlHome, runCli } from '../../../helpers/control-process.ts'

let home: ControlHome
let page = ''
beforeAll(async () => {
  home = await ControlHome.create()
  page = (await runCli(['man'], { home: home.folder })).out
})
afterAll(() => home[Symbol.asyncDispose]())

/** Text of a page without the escapes of roff. */
const plain = (text: string): string => text.replaceAll('\\-', '-').replaceAll('\\(aq', "'").replaceAll('\\(ga', '`')

describe('the manual page', () => {
  it('has every command with its options', async () => {
    const tree = (await commandTree()).filter(({ acts, words }) => acts && words[0] !== 'complete')
    expect(tree.length).toBeGreaterThan(50)
    const parts = new Map(
      plain(page)
        .split(/^\.SS /m)
        .slice(1)
        .map((part) => [part.slice(0, part.indexOf('\n')), part])
    )
    for (const { words, command } of tree) {
      const name = words.join(' ')
      expect(parts.get(name), name).toContain(command.description().split('\n')[0])
      const options = command.options.filter((option) => !option.hidden).map(({ long }) => long ?? '')
      for (const option of options) expect(parts.get(name), name).toContain(option)
    }
  })

  it('has the examples, the exit codes and the name that the units give it', () => {
    expect(page).toMatch(/^\.TH TRUSTNET 1 /m)
    expect(plain(page)).toContain('trustnet invite --')
    expect(plain(page)).toContain('Exit codes: 0 fine')
    expect(page).not.toMatch(/complete \[words/)
  })

  const man = spawnSync('man', ['--version']).error === undefined
  const [program = '', ...args] = man ? ['man', '--warnings', '-l', '-'] : ['mandoc', '-T', 'utf8', '-W', 'error']
  const shows = man || spawnSync('mandoc', ['-T', 'lint', '/dev/null']).error === undefined

  it.skipIf(!shows)('is shown by man without a complaint, and loses nothing on the way', () => {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '120', MANPAGER: 'cat', GROFF_NO_SGR: '1' }
    const { stdout, stderr, status } = spawnSync(program, args, { input: page, encoding: 'utf8', env })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('trustnet registry rotate-log-key')
    expect(stdout).toContain('trustnet completion fish > ~/.config/fish/completions/trustnet.fish')
    expect(stdout).toContain('`-` for stdin')
  })
})
