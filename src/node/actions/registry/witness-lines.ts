import { peerIdText } from '../../../identity/keys.ts'
import { isRegistryRole } from '../../../identity/role.ts'
import type { Registry } from '../../../registry/registry.ts'
import { InvalidPayloadError, RefusedError } from '../../../runtime/errors.ts'
import type { WitnessLinesView } from '../../api/registry-views.ts'

/**
 * Words of witnesses outside of the network, which come as lines of a note. From here they go to everybody.
 * @throws RefusedError at a node, which passes on no words of others; InvalidPayloadError, InvalidEnvelopeError when nothing can be taken
 */
export async function takeWitnessLines(registry: Registry, note: string): Promise<WitnessLinesView> {
  if (!isRegistryRole(registry.role)) {
    throw new RefusedError('a node passes on no words of others: give the note to the root or a secondary')
  }
  const taken = await registry.cosignatures.takeNote(note)
  if (taken === undefined) {
    throw new InvalidPayloadError(
      'the note is of no checkpoint of the last minutes: have the witness sign `trustnet registry checkpoint --note` anew'
    )
  }
  if (taken.witnesses.length === 0) {
    throw new InvalidPayloadError(
      'the note has no line of a witness of this network: `trustnet policy edit` names them, by PeerId or verifier key'
    )
  }
  const { epoch, n } = taken.checkpoint.value
  return {
    epoch,
    n,
    witnesses: taken.witnesses.map(peerIdText),
    by: registry.cosignatures.standingFor(taken.checkpoint),
    needed: registry.finality.needed
  }
}
