import { afterEach, beforeEach, expect, test } from 'vitest'
import { ControlHome, runCli, ScriptedApi } from '../../../helpers/control-process.ts'

let home: ControlHome
let api: ScriptedApi
beforeEach(async () => {
  home = await ControlHome.create()
  api = new ScriptedApi()
  await home.serve('root', api)
})
afterEach(() => home[Symbol.asyncDispose]())

const ping = (...options: string[]) => runCli(['ping', 'hal', '-i', '200ms', ...options], { home: home.folder })

test('ping shows each answer with its way, and counts what was lost', async () => {
  api.lostPings = [2]
  const { out, code } = await ping('-c', '3')
  expect(code).toBe(0)
  expect(out).toBe(`root: seq 1, 1ms, direct, to /ip6/2001:db8::5/tcp/9000
root: seq 2, no answer: no answer within 5 s
root: seq 3, 3ms, direct, to /ip6/2001:db8::5/tcp/9000

root: 3 sent, 2 received, 33% lost, RTT min 1ms, mean 2ms, max 3ms
`)
})

test('ping without any answer is exit code 7', async () => {
  api.lostPings = [1, 2]
  const { out, code } = await ping('-c', '2', '--json')
  expect(code).toBe(7)
  expect(JSON.parse(out)).toMatchObject({
    sent: 2,
    received: 0,
    pings: [{ rttUs: null }, { rttUs: null }],
    lastError: 'no answer within 5 s'
  })
})

test('ping through a relay says whose', async () => {
  const answer = api.ping
  api.ping = async (input) => ({ ...(await answer(input)), relay: { peerId: 'x', name: 'gate' } })
  expect((await ping('-c', '1')).out).toContain('seq 1, 1ms, relayed by gate\n')
})

test('ping takes no interval that is none, or too short', async () => {
  expect(await ping('-i', '1ms')).toMatchObject({ code: 2 })
  expect(await ping('-c', '0')).toMatchObject({ code: 2 })
})
