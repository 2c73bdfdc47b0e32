import { globSync, readFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { SigningKey } from '../../../../src/identity/keys.ts'
import type { Role } from '../../../../src/identity/role.ts'
import { limitsWith } from '../../../../src/protocols/engine/limits.ts'
import { systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { type MemberHost, type Members, startMember } from '../../../helpers/hosts/members.ts'
import { connect, withSockets } from '../../../helpers/hosts.ts'
import { networkId, otherNetworkId } from '../../../helpers/signed-objects.ts'
import { uptime } from '../../../helpers/uptime/client.ts'
import { uptimeServer } from '../../../helpers/uptime/server.ts'

withSockets()

type Services = { uptime: unknown }
const limits = limitsWith()
const members: Members = new Map()
const opened: MemberHost<Services>[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((host) => host[Symbol.asyncDispose]()))
})

const start = async (role: Role | 'stranger'): Promise<MemberHost<Services>> => {
  const services = ({ trust }: Pick<MemberHost<Services>, 'trust'>) => ({
    uptime: uptimeServer({ networkId, trust, limits, clock: systemClock })
  })
  const host = await startMember<Services>({ members, role, key: SigningKey.generate(), services })
  opened.push(host)
  return host
}

it('a protocol made of a message, a descriptor, a handler and a client answers members, and refuses others by their status', async () => {
  const [server, asker, stranger] = [await start('root'), await start('integrated'), await start('stranger')]
  const connection = await connect(asker.host, server.host)
  expect(await uptime(connection, networkId, { limits })).toBeGreaterThanOrEqual(0)
  await expect(uptime(connection, otherNetworkId, { limits })).rejects.toThrow(
    expect.objectContaining({ name: 'WrongNetworkError' })
  )
  const foreign = await connect(stranger.host, server.host)
  await expect(uptime(foreign, networkId, { limits })).rejects.toThrow(
    expect.objectContaining({ name: 'NotMemberError' })
  )
})

it('a new protocol costs about 100 lines', () => {
  const files = globSync('test/helpers/uptime/{*.ts,pb/*.proto}')
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => line.trim() !== '')
  expect(files).toHaveLength(4)
  expect(lines.length).toBeLessThan(115)
})
