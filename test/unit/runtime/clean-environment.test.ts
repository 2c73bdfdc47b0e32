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
