/** The element at an index that is in range. @throws RangeError when it is not */
export function at<T>(list: readonly T[], index: number): T {
  const element = list[index]
  if (element === undefined) throw new RangeError(`there is no element ${index} in a list of ${list.length}`)
  return element
}

/** The same of bytes: one of its own, so that each place where it stands sees one kind of list and is compiled for it. */
export function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index]
  if (byte === undefined) throw new RangeError(`there is no byte ${index} in ${bytes.length}`)
  return byte
}
