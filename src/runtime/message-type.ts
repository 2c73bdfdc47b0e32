import { type Codec, type DecodeOptions, decodeMessage, encodeMessage, message, type Writer } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

/** One message of a .proto: how it is written and read, alone and as a field of another. */
export interface MessageType<T> {
  readonly codec: () => Codec<T>
  readonly encode: (value: Partial<T>) => Uint8Array
  readonly decode: (bytes: Uint8Array | Uint8ArrayList, options?: DecodeOptions<T>) => T
}

/**
 * Message type for generated code, which says only what differs between messages.
 * @param fields writes the fields, without the length that comes before a message inside another
 */
export function messageType<T>(
  fields: (value: Partial<T>, writer: Writer) => void,
  read: Codec<T>['decode']
): MessageType<T> {
  const codec = message<T>(
    (value, writer, options = {}) => {
      const isInside = options.lengthDelimited !== false
      if (isInside) writer.fork()
      fields(value, writer)
      if (isInside) writer.ldelim()
    },
    read,
    () => {
      throw new Error('messages are decoded as a whole, not field by field')
    }
  )
  return {
    codec: () => codec,
    encode: (value) => encodeMessage(value, codec),
    decode: (bytes, options) => decodeMessage(bytes, codec, options)
  }
}

/** Options for a message inside of another: its limits, where the outer one has any for it. */
export const inside = <L>(limits: L | undefined): { limits?: L } => (limits === undefined ? {} : { limits })
