/**
 * Control, format (bidi, zero-width), line separator, surrogate, private and unassigned characters. None of them belongs into a
 * name, an error or a tag of a peer, and each could move the cursor, hide text or turn it round.
 */
export const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu

/** Characters that a terminal might obey and JSON leaves as they are. */
const unescaped = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** The same JSON with those escaped. */
export const escapedJson = (json: string): string =>
  json.replace(unescaped, (text) =>
    Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
  )

/** A text with those replaced: control characters below them are a line's own. */
export const withoutUnescaped = (text: string): string => text.replace(unescaped, '\uFFFD')
