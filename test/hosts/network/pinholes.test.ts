import { afterAll, beforeAll, expect, it } from 'vitest'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { eventually } from '../../helpers/network.ts'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { FilteringRouter, whyNoRouter } from '../filtering-router.ts'
import { HostMembers } from '../host-members.ts'
import { HostNetwork, whyNoNamespaces } from '../host-network.ts'

describeUnless(whyNoNamespaces() ?? whyNoRouter())('a member behind a router that lets nobody in', () => {
  let network: HostNetwork
  let members: HostMembers
  let router: FilteringRouter

  beforeAll(() => {
    network = new HostNetwork(['root', 'router', 'inner'])
    router = new FilteringRouter(network, { router: 'router', outside: 'root', inside: 'inner' })
    members = new HostMembers(network, 'pinholes.test')
    members.found()
    members.registry('root')
  })
  afterAll(() => network[Symbol.dispose]())

  /** Whether somebody outside can open a connection to it. */
  const getsIn = (): boolean => {
    try {
      network.run('root', ['timeout', '2', 'bash', '-c', `exec 3<>/dev/tcp/${router.insideAddress}/9000`])
      return true
    } catch {
      return false
    }
  }

  const pinhole = async () =>
    (
      await members
        .client('inner')
        .status()
        .catch(() => undefined)
    )?.pinholes[0]

  const startInner = (...more: string[]): void =>
    members.nodeAt('inner', `/ip6/${router.outsideAddress}/tcp/8000`, ...more)

  it('cannot be dialled while the router is not asked', async () => {
    startInner('--set', 'pinholes.ask=off')
    await members.status(['inner'], ceilingMs, ({ membership }) => membership.state === 'member')
    expect(getsIn()).toBe(false)
    expect((await members.client('inner').status()).pinholes).toEqual([])
    await members.end('inner', 'SIGTERM')
  })

  it('has it let others in, and they dial it', async () => {
    router.startPcp()
    startInner()
    await members.status(['inner'], ceilingMs, ({ pinholes }) => pinholes[0]?.state === 'open')
    expect(await pinhole()).toMatchObject({ address: `[${router.insideAddress}]:9000`, message: null })
    await eventually(() => getsIn(), ceilingMs)
    await members.status(['inner'], ceilingMs, ({ reach }) => reach === 'direct')
    const checks = members.cli('inner', 'doctor')
    expect(checks).toMatch(/the router fe80:\S+ lets others in at \[/)
    expect(members.cli('inner', 'status')).toContain('opened by the router')
  })

  it('is given the same one after it was killed', async () => {
    await members.end('inner', 'SIGKILL')
    startInner()
    await members.status(['inner'], ceilingMs, ({ pinholes }) => pinholes[0]?.state === 'open')
    expect(router.openPorts()).toEqual(['9000'])
  })

  it('asks anew when the router begins anew, and says so to its link', async () => {
    router.endPcp()
    router.forget()
    expect(getsIn()).toBe(false)
    router.startPcp()
    await eventually(() => getsIn(), ceilingMs)
    expect(router.openPorts()).toEqual(['9000'])
  })
})
