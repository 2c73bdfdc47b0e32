import { expect, test } from 'vitest'
import { TestNetwork } from '../helpers/network.ts'
import { Checks } from './checks.ts'
import { checkRegistry } from './registry.ts'

test('the root passes the checks for a registry of any implementation', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const lines: string[] = []
  const checks = new Checks((line) => lines.push(line))
  await checkRegistry(await network.invite({ role: 'external' }), 'stranger', checks)
  expect(lines.filter((line) => line.startsWith('FAILED'))).toEqual([])
  expect(checks).toMatchObject({ passed: 20, failed: 0 })
})

test('a registry that does not answer as it should is told by name', async () => {
  await using network = await TestNetwork.create({ 'admission.policy': 'invite' })
  const invite = await network.invite({ role: 'external' })
  const lines: string[] = []
  const checks = new Checks((line) => lines.push(line))
  // The invite is used up by then, so the registry refuses to register.
  await checkRegistry(invite, 'first', new Checks(() => {}))
  await checkRegistry(invite, 'second', checks)
  expect(checks.failed).toBeGreaterThan(0)
  expect(lines).toContainEqual(expect.stringMatching(/^FAILED {2}register with the join of the invite/))
})
