import type { YamuxMuxerInit } from '@chainsafe/libp2p-yamux'
import type { Connection, Libp2p, ServiceMap } from '@libp2p/interface'
import type { ServiceFactoryMap } from 'libp2p'
import { peerIdText, SigningKey } from '../../../src/identity/keys.ts'
import type { Role } from '../../../src/identity/role.ts'
import { defaultLimits } from '../../../src/protocols/engine/limits.ts'
import { remoteKeyOf } from '../../../src/protocols/engine/protocol.ts'
import { ConnectionTrust } from '../../../src/protocols/engine/trust/connection-trust.ts'
import type { RecordEvent, Records, RecordsInit } from '../../../src/registry/records/records.ts'
import { startHost } from '../hosts.ts'
import { openTestStore, recordsOver, type TestStore } from '../observations.ts'

/** Members, as all hosts of one test see them: PeerId text to role. */
export type Members = Map<string, Role>

export interface MemberHost<S extends ServiceMap> extends AsyncDisposable {
  readonly host: Libp2p<S>
  readonly key: SigningKey
  readonly trust: ConnectionTrust
  readonly records: Records
  readonly store: TestStore
}

interface MemberParts {
  readonly key: SigningKey
  readonly trust: ConnectionTrust
  readonly records: Records
}

export interface MemberInit<S extends ServiceMap> {
  readonly members: Members
  /** Default: integrated. undefined in the map: a stranger. */
  readonly role?: Role | 'stranger'
  readonly key?: SigningKey
  readonly onRecord?: (event: RecordEvent) => void
  /** Windows and buffers of streams. Default: those of yamux. */
  readonly muxer?: YamuxMuxerInit
  readonly services: (parts: MemberParts) => ServiceFactoryMap<S>
}

/** A real host with a store of its own, whose connections are proven by the map of members in place of a hello. */
export async function startMember<S extends ServiceMap>(init: MemberInit<S>): Promise<MemberHost<S>> {
  const key = init.key ?? SigningKey.generate()
  const { members, role = 'integrated' } = init
  if (role !== 'stranger') members.set(peerIdText(key.publicKey), role)
  const store = openTestStore()
  const recordsInit: Partial<RecordsInit> = {
    membership: { isMember: (publicKey) => members.has(peerIdText(publicKey)), isRevoked: () => false },
    ...(init.onRecord !== undefined && { onRecord: init.onRecord })
  }
  const records = recordsOver(store, recordsInit)
  const trust = new ConnectionTrust({ limits: defaultLimits.strangers, settleMs: defaultLimits.hello.settleMs })
  const host = await startHost<S>(init.services({ key, trust, records }), {
    privateKey: key.toLibp2p(),
    ...(init.muxer !== undefined && { muxer: init.muxer })
  })
  host.addEventListener('connection:open', ({ detail }) => judge(detail, trust, members))
  return {
    host,
    key,
    trust,
    records,
    store,
    [Symbol.asyncDispose]: async () => {
      await host.stop()
      trust.clear()
      records.close()
      store[Symbol.dispose]()
    }
  }
}

function judge(connection: Connection, trust: ConnectionTrust, members: Members): void {
  const publicKey = remoteKeyOf(connection)
  const role = members.get(connection.remotePeer.toString())
  trust.track(connection)
  if (publicKey === undefined || role === undefined) trust.judgedStranger(connection)
  else trust.prove(connection, { publicKey, name: connection.remotePeer.toString().slice(-8), role })
}
