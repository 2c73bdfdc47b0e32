import { StatefulSet } from 'kubernetes-models/apps/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { ConfigMap, Namespace, Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { doable } from '../../../src/install/apply/actions/index.ts'
import { planFor } from '../../../src/install/apply/session.ts'
import { clusterCheck, kubernetes } from '../../../src/install/deployments/kubernetes.ts'
import { manifestText, namespaceText } from '../../../src/install/deployments/kubernetes-files.ts'
import type { Answers } from '../../../src/install/model/answers.ts'
import type { Install } from '../../../src/install/model/deployment.ts'
import { layoutOf } from '../../../src/install/model/layout.ts'
import { type Given, resolveAnswers } from '../../../src/install/plan/resolve-answers.ts'
import { parseConfig } from '../../../src/node/config/index.ts'

const secret = 'tnet1thisisasecret'
const answersOf = (given: Given = {}): Answers =>
  resolveAnswers({
    name: 'hal',
    domain: 'example.org',
    deployment: 'kubernetes',
    image: 'registry.example.org/trustnet:v1.2.3',
    trustOnFirstUse: true,
    ...given
  })
const invited = { kind: 'invite', line: secret, networkId: 'tnabc', pins: ['12D3KooW1', '12D3KooW2'] } as const
const installOf = (changes: Partial<Answers> = {}): Install => {
  const answers = { ...answersOf(), ...changes }
  return { answers, layout: layoutOf(answers.name), version: '1.2.3' }
}

interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string; labels: Record<string, string> }
}
const documents = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => {
    expect('errors' in document ? document.errors : []).toEqual([])
    return (document as { toJS(): Manifest }).toJS()
  })
const manifests = (install: Install): Manifest[] => documents(manifestText(install))
/** By its path, as kubectl's jsonpath has it. */
const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], value)
const setOf = (install: Install): unknown => manifests(install).find(({ kind }) => kind === 'StatefulSet')
const podOf = (install: Install): unknown => at(setOf(install), 'spec', 'template', 'spec')

const models = { ConfigMap, Namespace, NetworkPolicy, Service, StatefulSet }
const validate = (manifest: Manifest): void => {
  const Model = models[manifest.kind as keyof typeof models]
  new Model(manifest).validate()
}

describe('the manifests', () => {
  it.each(['root', 'secondary', 'integrated', 'external'] as const)(
    'of a %s are valid by the schemas of Kubernetes',
    (role) => {
      const trust = role === 'root' ? ({ kind: 'new' } as const) : invited
      const all = [...documents(namespaceText()), ...manifests(installOf({ role, trust }))]
      expect(all.map(({ kind }) => kind)).toEqual(['Namespace', 'ConfigMap', 'Service', 'NetworkPolicy', 'StatefulSet'])
      for (const manifest of all) expect(() => validate(manifest)).not.toThrow()
    }
  )

  it('switch the HTTP API on where it was asked for, on loopback', () => {
    const listen = (given: Given) =>
      at(
        manifests(installOf(answersOf(given))).find(({ kind }) => kind === 'ConfigMap'),
        'data',
        'TRUSTNET_HTTP_LISTEN'
      )
    expect([listen({}), listen({ http: true })]).toEqual([undefined, '[::1]:9400'])
  })

  it('with something missing or of the wrong type are not: the schemas are real ones', () => {
    const set = setOf(installOf()) as Manifest & { spec: Record<string, unknown> }
    expect(() => validate({ ...set, spec: { ...set.spec, replicas: 'one' } } as Manifest)).toThrow(/replicas/)
    expect(() => validate({ ...set, spec: { ...set.spec, selector: undefined } } as Manifest)).toThrow(/selector/)
  })

  it('meet the restricted pod security standard', () => {
    for (const role of ['root', 'integrated'] as const) {
      const pod = podOf(installOf({ role }))
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } }
      })
      const containers = [...((at(pod, 'initContainers') as object[]) ?? []), ...(at(pod, 'containers') as object[])]
      expect(containers).toHaveLength(role === 'root' ? 2 : 1)
      for (const container of containers) {
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] }
          }
        })
      }
    }
    expect(documents(namespaceText())[0]?.metadata.labels).toEqual({
      'pod-security.kubernetes.io/enforce': 'restricted'
    })
  })

  it('keep keys in a volume, ask whether the node lives, and speak IPv6 alone', () => {
    const set = setOf(installOf())
    expect(at(set, 'spec', 'volumeClaimTemplates', 0, 'spec', 'accessModes')).toEqual(['ReadWriteOnce'])
    const container = at(podOf(installOf()), 'containers', 0)
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) expect(container).toHaveProperty(probe)
    const service = manifests(installOf()).find(({ kind }) => kind === 'Service')
    expect(at(service, 'spec')).toMatchObject({
      clusterIP: 'None',
      ipFamilies: ['IPv6'],
      ipFamilyPolicy: 'SingleStack'
    })
  })

  it('select each other: pod, service, policy and volume', () => {
    const [, service, policy, set] = manifests(installOf())
    const labels = at(set, 'spec', 'template', 'metadata', 'labels')
    for (const selector of [
      at(service, 'spec', 'selector'),
      at(policy, 'spec', 'podSelector', 'matchLabels'),
      at(set, 'spec', 'selector', 'matchLabels'),
      at(set, 'spec', 'volumeClaimTemplates', 0, 'metadata', 'labels')
    ])
      expect(labels).toMatchObject(selector as object)
    expect(at(set, 'spec', 'serviceName')).toBe(service?.metadata.name)
  })

  it('have settings that are valid keys, each with what it is for', () => {
    const text = manifestText(installOf({ role: 'secondary', port: 8000, announce: ['/ip6/2001:db8::5/tcp/8000'] }))
    const data = at(documents(text)[0], 'data') as Record<string, string>
    const parsed = parseConfig({ env: data })
    expect(parsed.warnings).toEqual([])
    expect(parsed.config).toMatchObject({
      name: 'hal',
      role: 'secondary',
      domain: 'example.org',
      listen: { port: 8000 },
      announce: { addresses: ['/ip6/2001:db8::5/tcp/8000'] },
      bootstrap: { trustOnFirstUse: true }
    })
    const lines = text.split('\n')
    for (const [index, line] of lines.entries())
      if (/^ {2}TRUSTNET_/.test(line)) expect(lines[index - 1]).toMatch(/^ {2}# \S/)
  })

  it('hold no secret, and refer to it by name', () => {
    for (const [install, key] of [
      [installOf({ trust: invited }), 'invite'],
      [installOf({ role: 'root', trust: { kind: 'new' } }), 'passphrase']
    ] as const) {
      expect(manifestText(install)).not.toMatch(new RegExp(`${secret}|PASSPHRASE@`))
      expect(at(podOf(install), 'volumes')).toContainEqual(
        expect.objectContaining({ secret: expect.objectContaining({ secretName: 'trustnet-hal' }) })
      )
      const file = kubernetes.files(install).find((action) => action.kind === 'file' && action.path.endsWith(key))
      expect(file).toMatchObject({ mode: 0o600, owner: 'root', secret: true })
      const shown = kubernetes.files(install).map((action) => doable(action).describe())
      expect(JSON.stringify(shown)).not.toContain(secret)
    }
  })

  it('stay what they are when the line is not known any more', () => {
    const before = manifestText(installOf({ trust: invited }))
    expect(manifestText(installOf({ trust: { ...invited, line: '' } }))).toBe(before)
  })

  it.each(['a: b', "'", '"', '{{x}}', 'x\n---\nkind: Secret', '#', '- a', '&a', '*a', '!!x'])(
    'keep a name like %j one value',
    (name) => {
      const all = manifests(installOf({ name, image: name, domain: name }))
      expect(all.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Service', 'NetworkPolicy', 'StatefulSet'])
      expect(at(all[0], 'data', 'TRUSTNET_DOMAIN')).toBe(name)
      expect(at(all[3], 'spec', 'template', 'spec', 'containers', 0, 'image')).toBe(name)
      expect(all.every(({ metadata }) => metadata.name === `trustnet-${name}`)).toBe(true)
    }
  )
})

describe('a Kubernetes deployment', () => {
  const actions = (given: Given) =>
    planFor(answersOf(given), '1.2.3', kubernetes, { ipv6: [], firewall: [], dns: [] }).steps.flatMap(
      (step) => step.actions
    )
  const commands = (given: Given): string[] =>
    actions(given).flatMap((action) => (action.kind === 'command' ? [action.run.join(' ')] : []))

  it('changes nothing on this machine but its own folder, and no cluster before it is asked', () => {
    const all = actions({})
    expect(all.map(({ kind }) => kind)).toEqual(['folder', 'folder', 'file', 'file'])
    expect(all.every((action) => 'path' in action && action.path.startsWith('/etc/trustnet-kubernetes'))).toBe(true)
  })

  it('with --start makes the secret before the pod that reads it, and waits for the pod', () => {
    const all = commands({ role: 'root', start: true })
    expect(
      all.map((command) => command.replace('kubectl --namespace trustnet', 'kubectl').split(' ').slice(0, 3).join(' '))
    ).toEqual([
      'kubectl apply --filename',
      'kubectl create secret',
      'kubectl apply --filename',
      'kubectl rollout status'
    ])
    expect(all.join('\n')).toContain('--from-file=passphrase=/etc/trustnet-kubernetes/hal/passphrase')
  })

  it('needs an image that a cluster can pull, a name that fits, and with --start a cluster', () => {
    expect(() => answersOf({ image: undefined })).toThrow(/--image is missing: an image in a registry/)
    const on = (...programs: [string, string][]) => ({ programs: new Map(programs) })
    expect(clusterCheck(on(), answersOf())).toMatchObject({ level: 'pass' })
    expect(clusterCheck(on(), answersOf({ name: 'n'.repeat(60) }))).toMatchObject({ level: 'fail' })
    expect(clusterCheck(on(), answersOf({ start: true })).reason).toBe('kubectl is not on this machine')
    expect(clusterCheck(on(['kubectl', '1']), answersOf({ start: true })).reason).toBe('kubectl reaches no cluster')
    const both = on(['kubectl', '1'], ['cluster', '1'])
    expect(clusterCheck(both, answersOf({ start: true }))).toMatchObject({ level: 'pass' })
  })

  it('prints what is to be done by hand, in the order in which it works', () => {
    const next = kubernetes.commands(installOf({ trust: invited })).map(({ command }) => command)
    expect(next.slice(0, 4)).toEqual([
      'trustnet install --name hal --start',
      'kubectl apply --filename /etc/trustnet-kubernetes/namespace.yaml',
      'kubectl --namespace trustnet create secret generic trustnet-hal --from-file=invite=/etc/trustnet-kubernetes/hal/invite',
      'kubectl apply --filename /etc/trustnet-kubernetes/hal/manifests.yaml'
    ])
  })

  it('asks the node through its pod', async () => {
    const asked: string[] = []
    const source = kubernetes.source?.(installOf(), async (command) => {
      asked.push(command.join(' '))
      return command.includes('status')
        ? { code: 0, out: '{"word":"healthy"}', err: '' }
        : { code: 1, out: '', err: 'no such pod\n' }
    })
    expect(await source?.status()).toEqual({ word: 'healthy' })
    await expect(source?.peers()).rejects.toThrow('trustnet peers in trustnet-hal-0: no such pod')
    expect(asked[0]).toBe('kubectl --namespace trustnet exec trustnet-hal-0 -- trustnet status --node hal --json')
  })
})

it('a namespace is one document', () => {
  expect(parse(namespaceText())).toMatchObject({ kind: 'Namespace', metadata: { name: 'trustnet' } })
})
