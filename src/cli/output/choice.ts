import { Argument, InvalidArgumentError, Option } from 'commander'

type WordsOfBefore = Readonly<Record<string, string>>

/** An option with these choices. Words of before are taken for the ones that they mean, and are shown nowhere. */
export const choice = (flags: string, about: string, words: readonly string[], before: WordsOfBefore = {}): Option =>
  new Option(flags, about).choices(words).argParser(wordOf(words, before))

/** The same as an argument. */
export const choiceArgument = (
  name: string,
  about: string,
  words: readonly string[],
  before: WordsOfBefore = {}
): Argument => new Argument(name, about).choices(words).argParser(wordOf(words, before))

const wordOf =
  (words: readonly string[], before: WordsOfBefore) =>
  (text: string): string => {
    const word = Object.hasOwn(before, text) ? before[text] : text
    if (word !== undefined && words.includes(word)) return word
    throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
  }

/** An option with words that are shown and completed; it takes several, with commas between, and its command judges them. */
export const listed = (flags: string, about: string, words: readonly string[]): Option => {
  const option = new Option(flags, about)
  option.argChoices = [...words]
  return option
}

/** The word of before for a secondary. */
export const oldRoles = { independent: 'secondary' } as const
