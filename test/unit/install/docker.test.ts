import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { planFor } from '../../../src/install/apply/session.ts'
import { docker, engineCheck } from '../../../src/install/deployments/docker.ts'
import { composeText, dockerfileText, envText } from '../../../src/install/deployments/docker-files.ts'
import type { Answers } from '../../../src/install/model/answers.ts'
import type { Install } from '../../../src/install/model/deployment.ts'
import type { MachineFacts } from '../../../src/install/model/facts.ts'
import { layoutOf } from '../../../src/install/model/layout.ts'
import { type Given, resolveAnswers } from '../../../src/install/plan/resolve-answers.ts'
import { parseConfig } from '../../../src/node/config/index.ts'

const secret = 'tnet1thisisasecret'
const answersOf = (given: Given = {}): Answers =>
  resolveAnswers({ name: 'hal', domain: 'example.org', deployment: 'docker', trustOnFirstUse: true, ...given })
const installOf = (changes: Partial<Answers> = {}): Install => {
  const answers = { ...answersOf(), ...changes }
  return { answers, layout: layoutOf(answers.name), version: '1.2.3' }
}

interface Service {
  image: string
  container_name: string
  command: string[]
  user: string
  read_only: boolean
  cap_drop: string[]
  network_mode: string
  restart: string
  volumes: { source: string; target: string }[]
  healthcheck: { test: string[] }
}
const serviceOf = (install: Install): Service =>
  (parse(composeText(install)) as { services: { node: Service } }).services.node

const schema: object = JSON.parse(readFileSync('test/fixtures/compose-spec/compose-spec.json', 'utf8'))
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)

const roles = ['root', 'secondary', 'integrated', 'external'] as const

describe('the compose file', () => {
  it.each(roles)('of a %s is valid by the schema of the Compose Specification', (role) => {
    const valid = validate(parse(composeText(installOf({ role }))))
    expect(validate.errors ?? []).toEqual([])
    expect(valid).toBe(true)
  })

  it('that says something unknown is not: the schema is a real one', () => {
    const broken = composeText(installOf()).replace('read_only:', 'readonly:')
    expect(validate(parse(broken))).toBe(false)
  })

  it('closes what a node does not need, comes back after a reboot, and is on the network of the machine', () => {
    expect(serviceOf(installOf())).toMatchObject({
      image: 'trustnet:v1.2.3',
      user: '@UID@:@GID@',
      read_only: true,
      cap_drop: ['ALL'],
      restart: 'unless-stopped',
      network_mode: 'host'
    })
  })

  it('bounds memory and processes, and writes no core', () => {
    expect(serviceOf(installOf())).toMatchObject({ mem_limit: '4g', pids_limit: 128, ulimits: { core: 0 } })
  })

  it('has each thing where it is without a container', () => {
    const { volumes } = serviceOf(installOf())
    expect(volumes.map(({ source }) => source)).toEqual(['/etc/trustnet', '/var/lib/trustnet/hal', '/run/trustnet/hal'])
    expect(volumes.every(({ source, target }) => source === target)).toBe(true)
  })

  it.each(['a: b', "'", '"', '$HOME', '$$', 'x\ny: z', '#', '- a', '\u0000\u2028', '{a}'])(
    'keeps a name like %j one value, and lets Compose replace nothing in it',
    (name) => {
      const service = serviceOf(installOf({ name, image: name, domain: name }))
      const once = (value: string | undefined): string => (value ?? '').replaceAll('$$', '$')
      expect(once(service.image)).toBe(name)
      expect(once(service.container_name)).toBe(`trustnet-${name}`)
      expect(Object.keys(service)).toEqual(Object.keys(serviceOf(installOf())))
      expect(service.image.replaceAll('$$', '')).not.toContain('$')
    }
  )
})

describe('the files of a Docker deployment', () => {
  it('set keys of the configuration alone, each with what it is for', () => {
    const lines = envText(installOf()).split('\n')
    const set = lines.filter((line) => line.startsWith('TRUSTNET_')).map((line) => line.split('='))
    expect(() => parseConfig({ env: Object.fromEntries(set) as Record<string, string> })).not.toThrow()
    expect(parseConfig({ env: Object.fromEntries(set) as Record<string, string> }).warnings).toEqual([])
    for (const [at, line] of lines.entries()) if (/^[A-Z]/.test(line)) expect(lines[at - 1]).toMatch(/^# ./)
  })

  it('hold no secret, and the plan shows none', () => {
    const install = installOf({ trust: { kind: 'invite', line: secret, networkId: 'tn', pins: [] } })
    const shown = [composeText(install), envText(install), dockerfileText(install)].join('\n')
    expect(shown).not.toContain(secret)
    const actions = [...docker.files(install), ...docker.start(install)]
    expect(JSON.stringify(actions)).not.toContain(secret)
  })

  it('are written by nobody but root', () => {
    const files = docker.files(installOf()).filter((action) => action.kind === 'file' || action.kind === 'folder')
    const ours = files.filter(({ path }) => path.startsWith('/etc/trustnet-docker'))
    expect(ours).toHaveLength(5)
    expect(ours.every(({ owner, mode }) => owner === 'root' && (mode & 0o022) === 0)).toBe(true)
  })
})

describe('a Docker deployment', () => {
  const commands = (given: Given): string[] =>
    planFor(answersOf(given), '1.2.3', docker, { ipv6: [], firewall: [], dns: [] }).steps.flatMap(({ actions }) =>
      actions.flatMap((action) => (action.kind === 'command' ? [action.run.join(' ')] : []))
    )

  it('builds the image of its version, or fetches the one that is named', () => {
    expect(commands({})).toContainEqual(
      'docker build --tag trustnet:v1.2.3 --file /etc/trustnet-docker/Dockerfile /opt/trustnet/1.2.3'
    )
    const named = commands({ image: 'registry.example.org:5000/trustnet@sha256:0123' })
    expect(named).toContainEqual('docker pull registry.example.org:5000/trustnet@sha256:0123')
    expect(named.join('\n')).not.toContain('docker build')
  })

  it('with --start=false neither builds nor starts, and says how to', () => {
    expect(commands({ start: false }).join('\n')).not.toMatch(/docker (build|pull)|up --detach/)
    const next = docker.commands(installOf({ start: false })).map(({ command }) => command)
    expect(next[0]).toBe('trustnet install --name hal --start')
    expect(next.join('\n')).toContain('docker build --tag trustnet:v1.2.3')
  })

  it.each<[Given, RegExp]>([
    [{ deployment: 'systemd', image: 'trustnet:v1' }, /--image is for --deployment docker and kubernetes/],
    [{ deployment: 'systemd', start: false }, /--start=false is for --deployment docker and kubernetes/],
    [{ image: '--privileged' }, /--image: '--privileged' is no name of an image/],
    [{ image: 'a b' }, /is no name of an image/],
    [{ image: 'a'.repeat(256) }, /is no name of an image/]
  ])('is not made of %j', (given, message) => {
    expect(() => answersOf(given)).toThrow(message)
  })

  it('needs an engine and Compose, unless only files are wanted', () => {
    const on = (programs: [string, string][]): Pick<MachineFacts, 'programs'> => ({
      programs: new Map(programs)
    })
    expect(engineCheck(on([]), answersOf())).toMatchObject({ level: 'fail', reason: 'no Docker engine answers here' })
    expect(engineCheck(on([['docker', '20.10.24']]), answersOf())).toMatchObject({
      level: 'fail',
      reason: 'Docker 20.10.24 is without Compose'
    })
    const both = on([
      ['docker', '20.10.24'],
      ['compose', '1.29.2']
    ])
    expect(engineCheck(both, answersOf())).toMatchObject({ level: 'pass' })
    expect(engineCheck(on([]), answersOf({ start: false }))).toMatchObject({ level: 'pass' })
  })
})
