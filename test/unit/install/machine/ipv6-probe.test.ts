import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { systemd } from '../../../../src/install/deployments/systemd.ts'
import { preflight } from '../../../../src/install/machine/checks.ts'
import { probe, probeTargets } from '../../../../src/install/machine/ipv6-probe.ts'
import { resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { machineFacts, stableAddress as stable } from '../../../helpers/machine-facts.ts'

const answersWith = (rootAddress?: string) =>
  resolveAnswers({ name: 'hal', domain: 'example.org', trustOnFirstUse: true, rootAddress })
const onMachine = (address: string) => ({ ...machineFacts().ipv6, addresses: [{ ...stable, address }] })
const near = onMachine('2001:db8:1:2::5')

const { signal } = new AbortController()
const within = (ms: number) => ({ signal, withinMs: ms })

describe('what is tried beyond the router', () => {
  it('is what the operator says alone, or nothing', () => {
    expect(probeTargets('none', answersWith(), near)).toEqual([])
    expect(probeTargets('/ip6/2001:db8::9/tcp/443', answersWith('2001:db8:9::1'), near)).toEqual([
      '/ip6/2001:db8::9/tcp/443'
    ])
  })

  it('is the registry of the command line, and root servers of DNS where an address is global', () => {
    const [registry, ...others] = probeTargets(undefined, answersWith('2001:db8:9::1'), near)
    expect(registry).toBe('/ip6/2001:db8:9::1/tcp/8000')
    expect(others).toHaveLength(2)
    expect(probeTargets(undefined, answersWith(), onMachine('fd00::5'))).toEqual([])
  })

  it('is no machine of the same link, which says nothing about the router', () => {
    expect(probeTargets(undefined, answersWith('2001:db8:1:2::1'), near)).not.toContain('/ip6/2001:db8:1:2::1/tcp/8000')
  })

  it('is nothing without a router: another check says that', () => {
    expect(probeTargets(undefined, answersWith('2001:db8:9::1'), { ...near, gateway: null })).toEqual([])
  })
})

describe('an answer', () => {
  it('is a connection, and a refusal, too: somebody is there', async () => {
    await using server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const target = `/ip6/::1/tcp/${port}`
    expect(await probe([target], within(60_000))).toEqual({ tried: [target], answered: target })
    await new Promise((resolve) => server.close(resolve))
    expect(await probe([target], within(60_000))).toMatchObject({ answered: target })
  })

  it('is the first of several, and none where nothing comes back', async () => {
    // The prefix of nobody (RFC 6666), and an address that no machine routes.
    const lost = ['/ip6/100::1/tcp/53', '/ip6/3fff::1/tcp/53']
    expect(await probe(lost, within(300))).toEqual({ tried: lost, answered: undefined })
    expect(await probe([], within(300))).toBeUndefined()
  })
})

it('nothing that answers is a warning which names what was tried, and how to do without', () => {
  const judge = (answered: string | undefined) =>
    preflight(machineFacts(), answersWith(), systemd, {
      isOurs: false,
      beyond: { tried: ['/ip6/2001:db8::9/tcp/443'], answered }
    }).find(({ id }) => id === 'beyond')
  expect(judge('/ip6/2001:db8::9/tcp/443')).toMatchObject({ level: 'pass' })
  const lost = judge(undefined)
  expect(lost).toMatchObject({ level: 'warn', fix: expect.stringContaining('--ipv6-probe none') })
  expect(lost?.reason).toContain('/ip6/2001:db8::9/tcp/443')
  expect(lost?.reason).toContain('fe80::1')
})
