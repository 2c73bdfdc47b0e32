import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { cleanEnvironment } from '../../../src/runtime/clean-environment.ts'

it('passes what is listed and what is added, and nothing else', () => {
  const env = {
    PATH: '/usr/bin',
    LANG: 'de_DE.UTF-8',
    LD_PRELOAD: '/tmp/evil.so',
    NODE_OPTIONS: '--require /tmp/evil.js',
    TRUSTNET_RECOVERY_PASSPHRASE: 'secret',
    CLOUDFLARE_API_TOKEN: 'secret',
    KUBECONFIG: '/root/kube'
  }
  expect(cleanEnvironment({ ALARM_CODE: 'x' }, { env })).toEqual({
    PATH: '/usr/bin',
    LANG: 'de_DE.UTF-8',
    ALARM_CODE: 'x'
  })
  expect(cleanEnvironment({}, { env, also: ['KUBECONFIG'] })).toHaveProperty('KUBECONFIG', '/root/kube')
})

it('is given to every program that this one starts', () => {
  const src = new URL('../../../src/', import.meta.url)
  const starting = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: readFileSync(new URL(name, src), 'utf8') }))
    .filter(({ text }) => /from 'node:child_process'|getBuiltinModule\('(?:node:)?child_process'\)/.test(text))
  expect(starting.length).toBeGreaterThan(5)
  const unclean = starting.filter(({ text }) => !text.includes('cleanEnvironment(') || /env: process\.env\b/.test(text))
  expect(unclean.map(({ name }) => name)).toEqual([])
})
