import { fromString } from 'uint8arrays/from-string'
import { ControlInputError } from '../api/errors.ts'

/** Bytes of a field of the API. @throws ControlInputError */
export function bytesOf(base64: string): Uint8Array {
  try {
    return fromString(base64, 'base64')
  } catch {
    throw new ControlInputError('What should be bytes is no base64 without padding.')
  }
}
