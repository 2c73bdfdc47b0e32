import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

const program = resolve('dist/bin/trustnet.js')
const late = 'fd10:7a11:5e7:2::1'

describeUnless(whyNoNamespaces())('an address to listen on that comes late', () => {
  const made = () => {
    const network = new HostNetwork(['one', 'two'])
    const env = { TRUSTNET_HOME: join(network.host('one').folder, 'home') }
    const args = ['init', '--name', 'root', '--domain', 'late.test', '--new-network']
    network.run('one', [process.execPath, program, ...args], env)
    const start = () =>
      network.start(
        'one',
        'root',
        [process.execPath, program, 'registry', 'start', '--set', `listen.host=${late}`],
        env
      )
    return { network, start, log: () => network.log('one', 'root') }
  }

  it('is waited for, and listened on when an interface has it', async () => {
    const { network, start, log } = made()
    using _ = network
    start()
    await eventually(() => log().includes('it is waited for'), ceilingMs, log)
    expect(log()).toContain(`the address ${late} cannot be listened on: no interface of this machine has it (yet)`)
    network.run('one', ['ip', 'addr', 'add', `${late}/64`, 'dev', 'eth0', 'nodad'])
    await eventually(() => log().includes(`listening on [${late}]:8000`), ceilingMs, log)
  })

  it('that goes while it is listened on is missed by status, and announced again when it is back', async () => {
    const { network, start, log } = made()
    using _ = network
    const env = { TRUSTNET_HOME: join(network.host('one').folder, 'home') }
    const onOne = (...argv: string[]) => network.run('one', argv, env)
    const status = (): StatusView => JSON.parse(onOne(process.execPath, program, 'status', '--json'))
    const missed = () => status().warnings.find(({ code }) => code === 'no_address')?.message
    onOne('ip', 'addr', 'add', `${late}/64`, 'dev', 'eth0', 'nodad')
    start()
    await eventually(() => log().includes('listening on'), ceilingMs, log)
    onOne('ip', 'addr', 'del', `${late}/64`, 'dev', 'eth0')
    await eventually(() => missed()?.includes(`no interface of this machine has ${late} now`) === true, ceilingMs)
    onOne('ip', 'addr', 'add', `${late}/64`, 'dev', 'eth0', 'nodad')
    await eventually(() => missed() === undefined, ceilingMs)
    expect(status().announced).toEqual([`/ip6/${late}/tcp/8000/p2p/${status().self.peerId}`])
    onOne('bash', '-c', `exec 3<>/dev/tcp/${late}/8000`)
  })

  it('that another machine has is named as that, and the start ends with 2 and what to do', async () => {
    const { network, start, log } = made()
    using _ = network
    network.run('two', ['ip', 'addr', 'add', `${late}/64`, 'dev', 'eth0', 'nodad'])
    network.run('one', ['ip', 'addr', 'add', `${late}/64`, 'dev', 'eth0'])
    const root = start()
    await eventually(() => root.exitCode !== null, ceilingMs, log)
    expect(root.exitCode).toBe(2)
    expect(log()).toContain(
      `another machine of the link of eth0 has it, too (add it, or choose another one with listen.host)`
    )
  })
})
