import { expect, it } from 'vitest'
import { askEcho, serveEcho } from '../../../examples/echo.ts'
import { TestNetwork } from '../../helpers/network.ts'

it('serves a protocol of its own to members, who are known by name', async () => {
  await using network = await TestNetwork.create()
  const [a, b] = await Promise.all([network.join('a'), network.join('b')])
  await serveEcho(a)
  expect(await askEcho(b, 'a', 'hello')).toBe('b said: hello')
})
