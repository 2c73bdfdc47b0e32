import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { StatusView } from '../../../src/node/api/control-api.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { freePort } from '../../helpers/free-port.ts'
import { FakedMachine, faketime } from '../../helpers/hosts/faked-machine.ts'
import { eventually } from '../../helpers/network.ts'

describe.skipIf(faketime === undefined)('real processes on machines with clocks of their own', () => {
  let folder: string
  let port: number
  let root: FakedMachine
  let secondary: FakedMachine
  let hal: FakedMachine
  let all: readonly FakedMachine[]

  const peer = () => `/ip6/::1/tcp/${port}`
  const startRoot = () => root.start('registry', 'start', '--name', 'root')
  const startOther = (machine: FakedMachine) =>
    machine.start(machine === secondary ? 'registry' : 'node', 'start', '--name', machine.name)
  const status = async (machine: FakedMachine): Promise<StatusView | undefined> =>
    await machine.client.status().catch(() => undefined)
  const isUp = async (machine: FakedMachine): Promise<boolean> => {
    const view = await status(machine)
    return view?.membership.state === 'member' && view.phase.name !== 'bootstrap'
  }
  const allUp = () => eventually(async () => (await Promise.all(all.map(isUp))).every((each) => each), ceilingMs)

  const letIn = async (machine: FakedMachine, role: 'secondary' | 'integrated') => {
    const { line } = await root.client.invite({ role })
    const argv = ['join', line, '--no-start', '--name', machine.name, '--set', 'listen.port=0', '--peer', peer()]
    expect(await machine.run(...argv)).toMatchObject({ code: 0 })
  }

  /** The longest time that anything of this run is said to last, ms. */
  const oldest = async (machine: FakedMachine): Promise<number> => {
    const [{ self, phase, registry, dns }, { peers }] = await Promise.all([
      machine.client.status(),
      machine.client.peers()
    ])
    const times = [
      self.startedMs,
      phase.sinceMs,
      registry.sinceMs,
      dns.checkedMs,
      ...peers.map(({ stateSinceMs }) => stateSinceMs)
    ]
    return Math.max(...times.map((ms) => (ms === null ? 0 : Math.abs(Date.now() - ms))))
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tn-clocks-'))
    port = await freePort()
    root = new FakedMachine(folder, 'root')
    secondary = new FakedMachine(folder, 'keeper')
    hal = new FakedMachine(folder, 'hal')
    all = [root, secondary, hal]
    const made = await root.run('init', '--name', 'root', '--domain', 'net.test', '--new-network', '--port', `${port}`)
    expect(made).toMatchObject({ code: 0 })
    startRoot()
    await eventually(async () => (await root.client.clock().catch(() => undefined))?.appends === true, ceilingMs)
    await letIn(secondary, 'secondary')
    await letIn(hal, 'integrated')
  })

  afterEach(async () => {
    await Promise.all(all.map((machine) => machine.stop()))
    rmSync(folder, { recursive: true, force: true })
  })

  it.each([
    ['+26h', 'ahead of'],
    ['-26h', 'behind']
  ])(
    'a member whose clock is wrong by %s is told that, by status and doctor, and the root is not accused',
    async (offset, side) => {
      hal.setClock(offset)
      startOther(secondary)
      startOther(hal)
      await allUp()
      const wrong = async () => (await status(hal))?.warnings.find(({ code }) => code === 'clock')
      await eventually(async () => (await wrong())?.message.includes('of 2 of 2 members') === true, ceilingMs)
      expect(await wrong()).toMatchObject({
        message: expect.stringContaining(`1 d ${side}`),
        fix: 'timedatectl set-ntp true'
      })
      const view = await status(hal)
      expect(view?.word).toBe('degraded')
      expect(view?.summary).toContain('the clock of this machine is wrong')
      expect(view?.warnings.map(({ code }) => code)).not.toContain('replica_stale')
      const doctor = await hal.run('doctor', '--json')
      const { checks } = JSON.parse(doctor.out)
      expect(doctor.code).toBe(5)
      expect(checks).toContainEqual(
        expect.objectContaining({ id: 'clock', level: 'fail', fix: 'timedatectl set-ntp true' })
      )
      for (const machine of [root, secondary])
        expect((await status(machine))?.warnings.map(({ code }) => code)).not.toContain('clock')
      hal.setClock('+0d')
      await eventually(async () => (await oldest(hal)) < 3_600_000, ceilingMs)
      await eventually(async () => (await wrong()) === undefined, ceilingMs)
    }
  )

  it('all of them off for 200 days come back by themselves', async () => {
    startOther(secondary)
    startOther(hal)
    await allUp()
    await Promise.all(all.map((machine) => machine.stop()))
    for (const machine of all) machine.setClock('+200d')
    startRoot()
    startOther(secondary)
    startOther(hal)
    await eventually(async () => (await root.client.clock().catch(() => undefined))?.appends === true, ceilingMs)
    await allUp()
    const { line } = await root.client.invite({ role: 'integrated' })
    expect(line).toContain('tnet1')
    await eventually(async () => {
      const { peers } = await hal.client.peers()
      return peers.filter(({ state }) => state === 'online').length === all.length
    })
  })

  it('the clock of the root 400 days ahead while it runs ends nobody, and is not kept', async () => {
    startOther(secondary)
    startOther(hal)
    await allUp()
    const { log } = await root.client.registryStatus()
    root.setClock('+400d')
    await eventually(async () => (await root.client.clock()).appends === false, ceilingMs)
    await eventually(async () => (await status(root))?.warnings.some(({ code }) => code === 'clock_step') === true)
    expect(await Promise.all(all.map(isUp))).toEqual([true, true, true])
    root.setClock('+0d')
    await eventually(async () => (await root.client.clock()).appends === true, ceilingMs)
    await root.client.invite({ role: 'integrated' })
    const after = await root.client.registryStatus()
    expect(after.log.checkpointMs ?? 0).toBeLessThan((log.checkpointMs ?? 0) + 86_400_000)
    await allUp()
    // A machine that is to be the next root is told what members say of its clock before it signs.
    secondary.setClock('+26h')
    const kept = join(root.home, 'data', 'root')
    vi.stubEnv('TRUSTNET_RECOVERY_PASSPHRASE_FILE', join(kept, 'recovery.passphrase'))
    const plan = await secondary.run('registry', 'promote', '--kit', join(kept, 'recovery.kit'))
    vi.unstubAllEnvs()
    expect(plan).toMatchObject({
      code: 0,
      err: expect.stringMatching(/warning: the clock of this machine is 26 hours ahead of those of \d of \d members/)
    })
  })
})
