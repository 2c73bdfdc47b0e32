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

test('ping that is ended early says what it has measured until then', async () => {
  const ended = new AbortController()
  const onWrite = (out: string): void => {
    if (out.includes('seq 1')) ended.abort(new Error('ended'))
  }
  const init = { home: home.folder, signal: ended.signal, onWrite }
  const { out, code } = await runCli(['ping', 'hal', '-i', '1h', '-c', '2'], init)
  expect(out).toContain('root: 1 sent, 1 received, 0% lost, RTT min 1ms, mean 1ms, max 1ms\n')
  expect(code).not.toBe(0)
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
