import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TrustNode } from '../../src/node/node.ts'
import { ControlHome, runCli } from '../helpers/control-process.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'

const rules = 'rules:\\n  - allow: {from: web, to: db, service: postgres}\\n  - allow: {from: admins}\\n'

let home: ControlHome
let network: TestNetwork
let root: TrustNode
beforeEach(async () => {
  home = await ControlHome.create()
  network = await TestNetwork.create()
  root = network.node('root')
  await home.serve('root', root.control)
})
afterEach(async () => {
  await home[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

const run = (argv: string[], EDITOR = 'true') => runCli(argv, { home: home.folder, env: { EDITOR, NO_COLOR: '1' } })

/** An editor that puts these lines in place of the rules, the tests and what `sed` names. */
const editor = (script: string): string => `sed -i -e '${script}'`
const allow = '{allow: {from: web, to: db, service: postgres}}'

describe('policy edit', () => {
  it('enters what the editor leaves, says what changes for whom, and every member goes by it', async () => {
    const a = await network.join('a')
    await root.control.changeMember({ peer: 'a', groups: ['web'] })
    await root.control.changeMember({ peer: 'root', groups: ['db'] })
    const edited = await run(
      ['policy', 'edit', '--yes', '--json'],
      editor(`s/^rules:.*/rules: [${allow}]/;s/^membership: .*/membership: 30d/`)
    )
    expect(edited).toMatchObject({ code: 0 })
    expect(edited.err).toContain('membership      90d → 30d')
    expect(edited.err).toContain('web (a) may no more call any other service at db (root)')
    expect(edited.err).toContain('db (root) may no more call postgres at web (a)')
    expect(edited.err).not.toContain('may call postgres at')
    const rule = { from: 'web', to: 'db', service: 'postgres' }
    expect(root.registry.replica.state.policy).toMatchObject({ rules: [rule], membershipMs: 30 * 86_400_000 })
    await eventually(() => a.registry.replica.state.policy.rules.length === 1)
    expect(await a.control.policyCall({ from: 'a', to: 'root', service: 'postgres' })).toMatchObject({
      allowed: true,
      rule
    })
    expect(await run(['policy', 'test', 'a', 'root', 'ssh'])).toMatchObject({
      code: 6,
      out: 'a may not call ssh at root: no rule allows it\n'
    })
    const shown = await run(['policy', 'show'])
    expect(shown.out).toContain('web → db: postgres')
    const again = await run(['policy', 'edit', '--yes'])
    expect(again).toMatchObject({ code: 0, out: '', err: 'Nothing was changed.\n' })
  })

  it.each([
    [
      'whose rules do not pass its tests',
      's/^tests:.*/tests: [{from: web, to: db, service: ssh, allowed: false}]/',
      6,
      'a test of the policy fails'
    ],
    ['by which nobody may call anything', `s/^rules:.*/rules: [${allow}]/`, 6, 'nobody is in the groups'],
    [
      'by which nobody can join',
      's/^admission: .*/admission: invite/;s/^open-invites: .*/open-invites: 0/',
      6,
      'nobody could join'
    ],
    ['that is no YAML', 's/^rules:.*/rules: [/', 2, 'no YAML: line '],
    ['with a name that YAML takes for another one', 's/^rules:.*/rules: [*web]/', 2, 'begins with *'],
    ['with a key that is none', 's/^rules:.*/rulez: []/', 2, "'rulez' is no key of the policy"],
    ['with a rule of another shape', 's/^rules:.*/rules: [{deny: {from: web, to: db, service: ssh}}]/', 2, 'rules.0']
  ])('of a policy %s is refused, and the text is kept', async (_, script, code, message) => {
    const before = root.registry.replica.head.n
    const refused = await run(['policy', 'edit', '--yes'], editor(script))
    expect(refused.code).toBe(code)
    expect(refused.err).toContain(message)
    const kept = /kept in (\S+\.yaml)/.exec(refused.err)?.[1] ?? ''
    expect(readFileSync(kept, 'utf8')).toContain('# The policy of the network')
    expect(root.registry.replica.head.n).toBe(before)
  })

  it('is refused where somebody else changed the policy meanwhile', async () => {
    const open = join(home.folder, 'open')
    const goOn = join(home.folder, 'go-on')
    const script = join(home.folder, 'editor.sh')
    writeFileSync(
      script,
      `touch ${open}; while [ ! -e ${goOn} ]; do sleep 0.05; done; sed -i 's/^invite-uses: .*/invite-uses: 7/' "$1"`
    )
    const first = run(['policy', 'edit', '--yes'], `sh ${script}`)
    await eventually(() => existsSync(open))
    await root.control.setPolicy({ grantUses: 9 })
    writeFileSync(goOn, '')
    const refused = await first
    expect(refused.code).not.toBe(0)
    expect(refused.err).toContain('somebody else changed the policy meanwhile')
    expect(root.registry.replica.state.policy.grantUses).toBe(9)
  })

  it('needs a terminal or --yes, and an editor that ends well', async () => {
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('trustnet-edit-'))
    const before = folders()
    expect(await run(['policy', 'edit'])).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    expect(await run(['policy', 'edit', '--yes'], 'false')).toMatchObject({
      code: 2,
      err: expect.stringContaining('ended with 1')
    })
    // Not that of this machine's user, and none where nobody can see it.
    expect(await run(['policy', 'edit', '--yes'], '')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no terminal for an editor')
    })
    expect(folders()).toEqual(before)
  })

  it('tells with --plan and --file what a change would do, and does nothing', async () => {
    const plan = await run(['policy', 'set', 'membership=30d', 'publishing=root', '--plan'])
    expect(plan).toMatchObject({ code: 0 })
    expect(plan.out).toContain('publishing      named → root')
    const file = join(home.folder, 'policy.yaml')
    writeFileSync(file, rules.replaceAll('\\n', '\n').replace('{from: admins}', '{from: admins, service: "*"}'))
    const tested = await run(['policy', 'test', '--file', file])
    expect(tested).toMatchObject({ code: 6, err: expect.stringContaining('nobody is in the groups') })
    expect(root.registry.replica.state.policyRow.n).toBe(0)
  })
})
