import type { Replica } from '../../registry/log/replica.ts'
import type { Signed } from '../../registry/objects/envelope.ts'
import { compareRecords, type NodeRecord, openRecordAsync } from '../../registry/objects/record.ts'
import type { Records } from '../../registry/records/records.ts'
import { InvalidPayloadError, LimitError, NotMemberError, StaleRecordError } from '../../runtime/errors.ts'
import type { ProtocolLimits } from '../engine/limits.ts'
import { publicKeyOfRecordKey } from './record-key.ts'

/** The parts of the registry that the DHT asks. */
export interface KadSource {
  readonly networkId: Uint8Array
  readonly replica: Pick<Replica, 'isMember'>
  readonly records: Pick<Records, 'get' | 'put' | 'read'>
}

/**
 * The record under a key, when it may stand there. kad-dht overwrites what it holds with whatever passes here and asks no selector, so
 * an older record than the newest that this process knows from anywhere must not pass; a newer one becomes known.
 *
 * @throws InvalidPayloadError, InvalidEnvelopeError, WrongNetworkError, NotMemberError, LimitError, StaleRecordError
 */
export async function validateValue(
  key: Uint8Array,
  value: Uint8Array,
  source: KadSource,
  limits: ProtocolLimits['kad']
): Promise<Signed<NodeRecord>> {
  if (value.length > limits.valueBytes) throw new LimitError(`A value of ${value.length} bytes.`)
  const publicKey = publicKeyOfRecordKey(key)
  if (!source.replica.isMember(publicKey)) throw new NotMemberError('A record of a key that is no member.')
  const record = await openRecordAsync(value, source.networkId, { signer: publicKey })
  const held = source.records.get(publicKey)
  const order = held === undefined ? 1 : compareRecords({ seq: record.value.seq, hash: record.hash }, held)
  if (order < 0) throw new StaleRecordError('An older record than the one known.', held?.envelope ?? value)
  if (order > 0) await source.records.put(value, { source: 'dht', hold: false })
  return record
}

/** Index of the newest of the values; all have passed `validateValue`. */
export async function newestOf(values: Uint8Array[], networkId: Uint8Array): Promise<number> {
  let best: { index: number; seq: number; hash: Uint8Array } | undefined
  for (const [index, value] of values.entries()) {
    try {
      const { value: record, hash } = await openRecordAsync(value, networkId)
      if (best === undefined || compareRecords({ seq: record.seq, hash }, best) > 0) {
        best = { index, seq: record.seq, hash }
      }
    } catch {
      // Not the newest, then.
    }
  }
  if (best === undefined) throw new InvalidPayloadError('None of the values is a node record.')
  return best.index
}
