import { checkKey, checkName } from '../../../identity/checked-bytes.ts'
import { Operator as OperatorMessage } from '../../pb/registry.ts'
import { bodyKind } from '../encoding/body-kind.ts'

/** A person whose orders count, or count no more. */
export interface Operator {
  publicKey: Uint8Array
  name: string
  removed: boolean
}

export const operatorBody = bodyKind<'operator', Operator, OperatorMessage>('operator', OperatorMessage, {
  to: (body) => body,
  from: ({ publicKey, name, removed }) => ({ publicKey, name, removed }),
  check(body) {
    checkKey(body.publicKey, 'key of the operator')
    checkName(body.name, 'name of the operator')
  }
})
