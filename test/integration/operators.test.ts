import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { peerIdText } from '../../src/identity/keys.ts'
import { createControl } from '../../src/node/control/create-control.ts'
import { startControlServer } from '../../src/node/control/server.ts'
import type { TrustNode } from '../../src/node/node.ts'
import { silentLogger } from '../../src/runtime/clock-and-logger.ts'
import { runCli } from '../helpers/control-process.ts'
import { eventually, TestNetwork } from '../helpers/network.ts'

/** A command line, asked of the process of this node over its socket. */
async function at(node: TrustNode, folder: string) {
  const path = join(folder, 'run', `${node.config.name}.sock`)
  const server = await startControlServer({ path, api: createControl(node), logger: silentLogger })
  const run = async (...argv: string[]) => await runCli([...argv, '--node', node.config.name], { home: folder })
  return { run, [Symbol.asyncDispose]: async () => await server[Symbol.asyncDispose]() }
}

/** A root and the members a and b; commands are asked of the first two. The key of the operator ann comes later. */
async function stage() {
  await using owned = new AsyncDisposableStack()
  const network = owned.use(await TestNetwork.create())
  const [root, a] = [network.node('root'), await network.join('a')]
  await network.join('b')
  const [atRoot, atA] = [owned.use(await at(root, network.folder)), owned.use(await at(a, network.folder))]
  const kept = owned.move()
  return {
    network,
    root,
    a,
    atRoot,
    atA,
    key: join(network.folder, 'ann.key'),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync()
  }
}

describe('operators', () => {
  it('are entered at the root, order from their own machines through any member, and are named in the log', async () => {
    await using staged = await stage()
    const { network, root, a, atRoot, atA, key } = staged
    expect((await runCli(['operator', 'key', key], { home: network.folder })).code).toBe(0)

    const early = await atA.run('--as', key, 'revoke', 'b')
    expect(early).toMatchObject({ code: 6 })
    expect(early.err).toContain('no operator')
    const without = await atA.run('revoke', 'b')
    expect(without.err).toContain('--as KEYFILE')
    expect(await atRoot.run('operator', 'remove', 'root')).toMatchObject({ code: 6 })
    expect(await atRoot.run('policy', 'set', 'two-operators=revoke')).toMatchObject({ code: 6 })
    expect((await atRoot.run('operator', 'add', 'ann', '--key', `${key}.pub`)).out).toContain('is an operator now')
    expect((await atRoot.run('operator', 'add', 'ann', '--key', `${key}.pub`)).out).toContain('already')
    for (const refused of [
      ['policy', 'set', 'membership=1s'],
      ['registry', 'retire', 'root'],
      ['member', 'end', 'root'],
      ['revoke', 'root']
    ]) {
      expect(await atRoot.run(...refused)).toMatchObject({ code: 6, out: '' })
    }
    await eventually(() => a.registry.replica.head.n === root.registry.replica.head.n)
    expect((await atA.run('operator', 'list')).out).toMatch(/root .*\n.*ann/)

    expect((await atA.run('member', 'rename', 'b', 'bob', '--as', key)).out).toContain('is now bob')
    const { out: line } = await atA.run('invite', '--note', 'by ann', `--as=${key}`)
    expect(line).toMatch(/^tnet1/)
    await using late = await network.start('late', { 'bootstrap.peers': [network.address('root')] })
    expect((await atA.run(`--as=${key}`, 'revoke', 'bob', '--reason', 'stolen')).out).toContain('is revoked')
    const lines = network.logs.map((text): { node: string; request?: string; trace?: string } => JSON.parse(text))
    const asked = lines.filter(({ node, request }) => node === 'root' && request === 'order')
    expect(asked[0]?.trace).toMatch(/^[0-9a-f]{32}$/)
    const { out: log } = await atRoot.run('registry', 'log', '--json')
    const entries: { kind: string; by: string[]; detail: string }[] = JSON.parse(log).entries
    const causedBy = (kind: string) => entries.filter((each) => each.kind === kind).map(({ by }) => by)
    expect(causedBy('operator')).toEqual([[], ['root']])
    expect(causedBy('revoke')).toEqual([['ann']])
    expect(causedBy('change')).toEqual([['ann']])
    expect(causedBy('grant').at(-1)).toEqual(['ann'])
    expect(late).toBeDefined()
  })

  it('sign with keys under a passphrase, and are shown what they sign', async () => {
    await using staged = await stage()
    const { network, root, a, atRoot, atA, key } = staged
    const home = network.folder
    const secret = { TRUSTNET_OPERATOR_PASSPHRASE: 'a passphrase of some length' }
    const make = (env: Record<string, string>) => runCli(['operator', 'key', '--passphrase', key], { home, env })
    expect((await make({})).err).toContain('TRUSTNET_OPERATOR_PASSPHRASE_FILE')
    expect((await make({ TRUSTNET_OPERATOR_PASSPHRASE: 'short' })).err).toContain('12 characters')
    expect((await make(secret)).code).toBe(0)
    expect(readFileSync(key, 'utf8')).toContain('"trustnet-operator-key"')
    expect(statSync(key).mode & 0o777).toBe(0o600)
    await atRoot.run('operator', 'add', 'ann', '--key', `${key}.pub`)
    await eventually(() => a.registry.replica.head.n === root.registry.replica.head.n)
    const revoke = (env: Record<string, string>) =>
      runCli(['revoke', 'b', '--reason', 'stolen', '--as', key, '--node', 'a'], { home, env })
    expect((await revoke({})).err).toContain('The key of the operator needs its passphrase')
    expect((await revoke({ TRUSTNET_OPERATOR_PASSPHRASE: 'a passphrase of another' })).err).toContain('is wrong')
    const member = root.registry.replica.state.memberByName('b')
    const done = await revoke(secret)
    expect(done.out).toContain('is revoked')
    expect(done.err).toBe(`Signs  revoke ${peerIdText(member?.publicKey ?? new Uint8Array())} stolen\n`)
    expect((await atA.run('registry', 'log', '--limit', '1')).out).toContain('ann')
  })

  it('two are needed for what the policy says: the first one waits, the second one makes the entry', async () => {
    await using staged = await stage()
    const { network, root, a, atRoot, atA, key } = staged
    await runCli(['operator', 'key', key], { home: network.folder })
    expect((await atRoot.run('policy', 'set', 'two-operators=revoke')).err).toContain('second operator')
    await atRoot.run('operator', 'add', 'ann', '--key', `${key}.pub`)
    const planned = await atRoot.run('policy', 'set', 'two-operators=policy', '--plan')
    expect(planned.err).toMatch(/when the key of one is lost, no entry of kind policy .* until the other operator adds/)
    const set = await atRoot.run('policy', 'set', 'two-operators=revoke,operator')
    expect(set).toMatchObject({ code: 0, err: expect.stringMatching(/no entry of kind operator .* registry recover/) })
    await eventually(() => a.registry.replica.head.n === root.registry.replica.head.n)

    const first = await atA.run('--as', key, 'revoke', 'b', '--reason', 'stolen')
    expect(first.err).toContain('second operator')
    expect(root.registry.replica.state.memberByName('b')).toBeDefined()
    expect((await atA.run('--as', key, 'revoke', 'b', '--reason', 'stolen')).code).not.toBe(0)
    const { waiting } = JSON.parse((await atA.run('operator', '--as', key, 'pending', '--json')).out)
    expect(waiting).toMatchObject([{ by: ['ann'], acts: [{ kind: 'revoke', detail: 'stolen' }] }])
    expect((await atA.run('operator', 'approve', waiting[0].id, '--as', key)).code).not.toBe(0)
    const { id } = waiting[0]
    const byOther = await atRoot.run('operator', 'withdraw', id)
    expect(byOther).toMatchObject({ code: 6, err: expect.stringContaining('by another operator, who alone takes it') })
    expect((await atRoot.run('operator', 'withdraw', id, '--plan')).out).toContain('would be taken back: revoke, order')
    expect((await atA.run('operator', 'withdraw', id, '--as', key)).out).toContain('is taken back: revoke')
    expect((await atA.run('operator', 'withdraw', id, '--as', key)).out).toContain('does not wait')
    expect((await atA.run('--as', key, 'revoke', 'b', '--reason', 'stolen')).code).not.toBe(0)
    expect((await atRoot.run('operator', 'approve', waiting[0].id)).code).toBe(0)
    expect(root.registry.replica.state.memberByName('b')).toBeUndefined()
    expect(JSON.parse((await atRoot.run('operator', 'pending', '--json')).out).waiting).toEqual([])
    expect((await atRoot.run('registry', 'log', '--limit', '1')).out).toContain('ann, root')
  })

  it('let in and turn away from afar those who wait for their word', async () => {
    await using network = await TestNetwork.create({ 'admission.policy': 'approve' })
    const root = network.node('root')
    const invite = await network.inviteFile({ role: 'integrated', name: 'a' })
    const a = await network.join('a', { 'bootstrap.inviteFile': invite })
    await using atRoot = await at(root, network.folder)
    await using atA = await at(a, network.folder)
    const key = join(network.folder, 'ann.key')
    await runCli(['operator', 'key', key], { home: network.folder })
    await atRoot.run('operator', 'add', 'ann', '--key', `${key}.pub`)
    for (const name of ['good', 'bad']) await network.start(name, { 'bootstrap.peers': [network.address('root')] })
    await eventually(() => root.registry.admission.pending().length === 2)
    await eventually(() => a.registry.replica.head.n === root.registry.replica.head.n)
    expect(await atA.run('operator', 'pending', '--as', key)).toMatchObject({
      err: '',
      out: expect.stringContaining('good')
    })
    expect((await atA.run('registry', 'approve', 'good', '--as', key)).out).toContain('is a member now')
    expect(await atA.run('registry', 'reject', 'bad', '--as', key)).toMatchObject({
      err: expect.stringMatching(/^Signs {2}turn away the join [0-9a-f]{12}: /),
      out: expect.stringContaining('turned away')
    })
    expect(root.registry.admission.pending()).toEqual([])
    expect(root.registry.replica.state.memberByName('good')).toBeDefined()
    const told = network.logs.filter((line) => line.includes('an operator turned a join away'))
    expect(told.map((line): object => JSON.parse(line))).toMatchObject([{ node: 'root', by: 'ann' }])
  })
})
