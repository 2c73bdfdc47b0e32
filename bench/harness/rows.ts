import type { Figure } from './benchmark.ts'
import { measured } from './rounds.ts'

export const mebibyte = 1024 ** 2

/** The same figure, multiplied. */
export const scaled = (figure: Figure, factor: number, what: string = figure.what): Figure => ({
  what,
  of: (round) => figure.of(round) * factor
})

/** What steps that follow one another take together. */
export const sum = (what: string, names: readonly string[]): Figure => ({
  what,
  of: (round) => names.reduce((all, name) => all + measured(name).of(round), 0)
})
