/**
 * A text that a member says of itself (a tag, its version) for the files of other programs: letters, digits, spaces and few signs. What a
 * template, a list by comma, a line or a table could take for its own is `_`, also a sign at the beginning that makes it a formula.
 */
export const plainText = (text: string): string =>
  text.replaceAll(/[^\p{L}\p{N} ._+:/@=-]/gu, '_').replace(/^[=+@-]/, '_')
