const txtChunk = 255

/** A TXT value as zone files and web APIs write it: quoted pieces of at most 255 characters. */
export const quoted = (text: string): string => {
  const count = Math.max(1, Math.ceil(text.length / txtChunk))
  const chunks = Array.from({ length: count }, (_, at) => text.slice(at * txtChunk, (at + 1) * txtChunk))
  return chunks.map((chunk) => `"${chunk.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(' ')
}

/** The text of quoted pieces; what is not quoted is the text itself. */
export const unquoted = (value: string): string => {
  const pieces = value.match(/"(?:[^"\\]|\\.)*"/g)
  if (pieces === null) return value
  return pieces.map((piece) => piece.slice(1, -1).replaceAll(/\\(.)/g, '$1')).join('')
}
