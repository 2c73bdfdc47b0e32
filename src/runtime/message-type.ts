import {
  type Codec,
  type DecodeOptions,
  decodeMessage,
  encodeMessage,
  message,
  type Reader,
  type Writer
} from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

/** One message of a .proto: how it is written and read, alone and as a field of another. */
export interface MessageType<T> {
  readonly codec: () => Codec<T>
  readonly encode: (value: Partial<T>) => Uint8Array
  readonly decode: (bytes: Uint8Array | Uint8ArrayList, options?: DecodeOptions<T>) => T
}

/**
 * Message type for generated code, which says only what differs between messages.
 * @param write writes the fields, without the length that comes before a message inside another
 * @param empty gives a message without any field
 * @param read reads one field; false: it is none of this message
 */
export function messageType<T>(
  write: (value: Partial<T>, writer: Writer) => void,
  empty: () => T,
  read: (value: T, field: number, reader: Reader, options: DecodeOptions<T>) => boolean
): MessageType<T> {
  const codec = message<T>(
    (value, writer, options = {}) => {
      const isInside = options.lengthDelimited !== false
      if (isInside) writer.fork()
      write(value, writer)
      if (isInside) writer.ldelim()
    },
    (reader, length, options = {}) => {
      const value = empty()
      const end = length === undefined ? reader.len : reader.pos + length
      while (reader.pos < end) {
        const tag = reader.uint32()
        if (!read(value, tag >>> 3, reader, options)) reader.skipType(tag & 7)
      }
      return value
    },
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
