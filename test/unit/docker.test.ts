import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { keys } from '../../src/node/config/index.ts'

interface Service {
  image: string
  restart: string
  read_only: boolean
  cap_drop: string[]
  mem_limit?: string
  pids_limit?: number
  ulimits?: { core: number }
  environment?: Record<string, string>
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const compose = parse(readFileSync('docker/compose.yaml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>
  networks: Record<string, { enable_ipv6: boolean }>
}
const services = Object.entries(compose.services)

it('the compose network is a name server, a root, a secondary and three nodes, on IPv6', () => {
  expect(services.map(([name]) => name)).toEqual(['dns', 'root', 'invites', 'secondary', 'node1', 'node2', 'node3'])
  expect(Object.values(compose.networks)).toMatchObject([{ enable_ipv6: true }])
})

it('every container runs this version, cannot write its own files, has no capability, and is restarted', () => {
  for (const [name, service] of services) {
    expect(service.image, name).toMatch(/^trustnet(-dns)?:v\$\{TRUSTNET_VERSION:-[\d.]+\}$/)
    expect(service.image, name).toContain(`:-${version}}`)
    expect([service.read_only, service.cap_drop], name).toEqual([true, ['ALL']])
    expect(service.restart, name).toBe(name === 'invites' ? 'no' : 'unless-stopped')
  }
})

it('no container takes its machine along, or leaves a core', () => {
  for (const [name, { mem_limit: memory, pids_limit: pids, ulimits }] of services) {
    expect([memory, pids, ulimits?.core], name).toEqual([expect.stringMatching(/^\d+[mg]$/), expect.any(Number), 0])
  }
})

it('every variable of the environment is a key of the configuration', () => {
  const known = new Set(['TRUSTNET_HOME', ...keys.map(({ env }) => env)])
  const used = services.flatMap(([, { environment }]) => Object.keys(environment ?? {}))
  expect(used.filter((variable) => !known.has(variable))).toEqual([])
})

it('the image runs as a number that is not root and takes nothing of the checkout but what it names', () => {
  const dockerfile = readFileSync('docker/Dockerfile', 'utf8')
  expect(dockerfile).toContain('USER 1000:1000')
  expect(dockerfile).not.toMatch(/:latest/)
  expect(readFileSync('.dockerignore', 'utf8').split('\n')[0]).toBe('*')
})
