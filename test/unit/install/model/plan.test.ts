import { describe, expect, it } from 'vitest'
import { doable } from '../../../../src/install/apply/actions/index.ts'
import { planFor } from '../../../../src/install/apply/session.ts'
import { deploymentOf, deployments } from '../../../../src/install/deployments/index.ts'
import type { DeploymentName } from '../../../../src/install/model/answers.ts'
import { stepTitles } from '../../../../src/install/model/plan.ts'
import { type Given, resolveAnswers } from '../../../../src/install/plan/resolve-answers.ts'
import { parseConfig } from '../../../../src/node/config/index.ts'
import { exampleInvite } from '../../../helpers/registry/example-invite.ts'

const plan = (given: Given) => {
  const answers = resolveAnswers({ name: 'hal', domain: 'example.org', trustOnFirstUse: true, ...given })
  const deployment = deploymentOf(answers.deployment)
  if (deployment === undefined) throw new Error('no such deployment')
  return planFor(answers, '1.2.3', deployment, { ipv6: [], firewall: [], dns: [] })
}

const actions = (given: Given) => plan(given).steps.flatMap((step) => step.actions)

const configOf = (given: Given) => {
  const file = actions(given).find((action) => action.kind === 'file' && action.path === '/etc/trustnet/hal.yaml')
  if (file?.kind !== 'file') throw new Error('the plan has no configuration')
  return parseConfig({ text: file.text, file: file.path, env: {} }).config
}

describe('a plan', () => {
  it('has seven steps, and a reason where there is nothing to do', () => {
    for (const role of ['root', 'secondary', 'integrated', 'external'] as const) {
      const { steps } = plan({ role })
      expect(steps.map(({ title }) => title)).toEqual(stepTitles)
      const idle = steps.slice(0, -1).filter((step) => step.actions.length === 0)
      expect(idle.every(({ note }) => note !== null)).toBe(true)
      expect(idle).toHaveLength(2)
    }
  })

  it('is the same for the same answers', () => {
    expect(plan({ role: 'root' })).toEqual(plan({ role: 'root' }))
  })

  it('writes a configuration that is valid and says all that was answered', () => {
    const config = configOf({ role: 'integrated', port: 9100, announce: ['2001:db8::5'], rootAddress: '2001:db8::1' })
    expect(config).toMatchObject({
      name: 'hal',
      role: 'integrated',
      domain: 'example.org',
      listen: { port: 9100 },
      announce: { addresses: ['/ip6/2001:db8::5/tcp/9100'] },
      bootstrap: { rootAddress: '/ip6/2001:db8::1/tcp/8000', trustOnFirstUse: true },
      paths: { data: '/var/lib/trustnet/hal', runtime: '/run/trustnet/hal' }
    })
  })

  it('leads systemd-resolved to the node after its start, for its domain alone, where that is wanted', () => {
    const path = '/etc/systemd/system/trustnet-hal-names.service'
    const all = actions({ names: true })
    const unit = all.find((action) => action.kind === 'file' && action.path === path)
    expect(unit).toMatchObject({ text: expect.stringContaining('resolvectl domain tnames-9000 "~example.org"') })
    expect(unit).toMatchObject({ text: expect.stringContaining('resolvectl dns tnames-9000 "[::1]:9453"') })
    expect(configOf({ names: true }).dns.listen).toBe('[::1]:9453')
    expect(configOf({ names: true, port: 65_500 }).dns.listen).toBe('[::1]:65047')
    const run = ['systemctl', 'enable', '--quiet', '--now', 'trustnet-hal-names.service']
    expect(all).toContainEqual(expect.objectContaining({ run }))
    expect(actions({}).some((action) => action.kind === 'file' && action.path === path)).toBe(false)
    expect(() => plan({ names: true, deployment: 'foreground' })).toThrow('--names is for --deployment systemd')
  })

  it('makes a network for a root alone', () => {
    const makes = (role: 'root' | 'integrated') => actions({ role }).some(({ kind }) => kind === 'network')
    expect([makes('root'), makes('integrated')]).toEqual([true, false])
  })

  it('has a line for every change of every deployment', () => {
    for (const { name } of deployments) {
      for (const action of actions({
        role: 'root',
        deployment: name,
        image: name === 'kubernetes' ? 'trustnet:v1' : undefined
      })) {
        expect(doable(action).describe().text).not.toBe('')
      }
    }
  })

  it('shows a long file by its size', () => {
    const file = (lines: number) =>
      doable({ kind: 'file', path: '/x', text: 'a\n'.repeat(lines), mode: 0o644, owner: 'root' }).describe().lines
    expect(file(200)).toHaveLength(200)
    expect(file(201)).toEqual(['(201 lines, 402 bytes)'])
  })

  it('never shows a secret', () => {
    const shown = doable({
      kind: 'file',
      path: '/x',
      text: 'tnet1secret',
      mode: 0o600,
      owner: 'trustnet',
      secret: true
    }).describe()
    expect(JSON.stringify(shown)).not.toContain('tnet1secret')
  })
})

describe('the HTTP API of a plan', () => {
  const httpOf = (given: Given) => configOf(given).http
  const tokenOf = (given: Given) => {
    const found = actions(given).findIndex((action) => action.kind === 'file' && action.path.endsWith('.http-token'))
    return { at: found, action: actions(given)[found] }
  }
  const outside = '[2001:db8::5]:9443'

  it('is off unless it was asked for', () => {
    for (const given of [{}, { http: false }]) {
      expect(httpOf(given).listen).toBeUndefined()
      expect(tokenOf(given).action).toBeUndefined()
    }
  })

  it('is on loopback without a token, where no address is named', () => {
    expect(httpOf({ http: true })).toEqual({ listen: '[::1]:9400', hosts: [] })
    expect(httpOf({ http: true, role: 'root' }).listen).toBe('[::1]:8400')
    expect(tokenOf({ http: '[0:0::1]:9500' }).action).toBeUndefined()
  })

  it.each(['systemd', 'foreground', 'docker'] as const)('has a token on any other address: %s', (deployment) => {
    for (const listen of [outside, '[::]:9443', '[fd00::5]:9443']) {
      const given = { deployment, http: listen }
      expect(httpOf(given)).toMatchObject({ listen, tokenFile: '/etc/trustnet/hal.http-token' })
      const { at, action } = tokenOf(given)
      expect(action).toMatchObject({ mode: 0o640, owner: 'root', group: 'trustnet-hal', secret: true, once: true })
      const parent = actions(given).findIndex((one) => one.kind === 'folder' && one.path === '/etc/trustnet')
      expect(actions(given)[parent]).toMatchObject({ mode: 0o755, owner: 'root' })
      expect(parent).toBeLessThan(at)
      if (action !== undefined) expect(doable(action).describe().lines).toEqual(['(a secret, not shown)'])
    }
  })

  it('is what Prometheus of this machine is told', () => {
    const targets = (given: Given) =>
      actions(given).flatMap((one) => (one.kind === 'file' && one.path.endsWith('targets-hal.yml') ? [one.text] : []))
    expect(targets({ monitoring: true, http: '[::1]:9500' }).join()).toContain('[::1]:9500')
    expect(httpOf({ monitoring: true, http: '[::1]:9500' }).listen).toBe('[::1]:9500')
    expect(httpOf({ monitoring: true }).listen).toBe('[::1]:9400')
  })

  it.each<[Given, RegExp]>([
    [{ http: '[::1]:9000' }, /port of its own/],
    [{ http: '[::1]:0' }, /port of its own/],
    [{ http: '127.0.0.1:80' }, /no IPv6 address with a port/],
    [{ http: true, port: 65_500 }, /http\.listen/],
    [{ http: true, port: 70_000 }, /listen\.port/],
    [{ http: false, monitoring: true }, /--http=false/],
    [{ http: outside, monitoring: true }, /without a token/],
    [{ http: outside, deployment: 'kubernetes', image: 'trustnet:v1' }, /port-forward/]
  ])('that cannot be is refused: %j', (given, message) => {
    expect(() => plan(given)).toThrow(message)
  })
})

describe('answers', () => {
  it('name every flag that is missing', () => {
    expect(() => resolveAnswers({})).toThrow(
      /--domain is missing[^\n]*\n--invite, --network or --trust-on-first-use is missing/
    )
    expect(() => resolveAnswers({ role: 'root' })).toThrow(/^--domain is missing/)
  })

  it.each<[Given, RegExp]>([
    [{ domain: 'no domain' }, /domain/],
    [{ name: 'Not A Name' }, /name/],
    [{ port: 70_000 }, /listen\.port/],
    [{ rootAddress: 'root.example.org' }, /--root-registry: 'root.example.org' is no IPv6 address/],
    [{ announce: ['fe80::1'] }, /link-local/],
    [{ network: 'abc' }, /network id/]
  ])('that cannot be are refused: %j', (given, message) => {
    expect(() =>
      resolveAnswers({ name: 'hal', domain: 'example.org', trustOnFirstUse: given.network === undefined, ...given })
    ).toThrow(message)
  })

  it.each(['Example.ORG', 'example.org.', 'EXAMPLE.org.'])('take the domain %s for the one that it is', (domain) => {
    expect(resolveAnswers({ domain, trustOnFirstUse: true }).domain).toBe('example.org')
    expect(resolveAnswers({ domain, invite: exampleInvite() }).domain).toBe('example.org')
    expect(resolveAnswers({ domain: 'BÜCHER.Example.', trustOnFirstUse: true }).domain).toBe('xn--bcher-kva.example')
    expect(() => resolveAnswers({ domain: `x.${domain}`, invite: exampleInvite() })).toThrow(
      '--domain says x.example.org, the invite is for example.org'
    )
  })

  it('have defaults: an integrated node, as a service, at port 9000', () => {
    const { role, deployment, port } = resolveAnswers({ domain: 'example.org', trustOnFirstUse: true })
    expect({ role, deployment, port }).toEqual({
      role: 'integrated',
      deployment: 'systemd' satisfies DeploymentName,
      port: 9000
    })
  })
})
