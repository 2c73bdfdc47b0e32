/** A value with the labels that tell it from others of the same name. */
export type Value = readonly [labels: Readonly<Record<string, string>>, value: number]

/** A metric as it is at one moment. Without values it is left out: nothing is said of what is not known. */
export interface Sample {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly values: readonly Value[]
}

type Given = number | boolean | undefined | null | readonly Value[]

export const gauge = (name: string, help: string, given: Given): Sample => ({
  name,
  type: 'gauge',
  help,
  values: valuesOf(given)
})

export const counter = (name: string, help: string, given: Given): Sample => ({
  name,
  type: 'counter',
  help,
  values: valuesOf(given)
})

const valuesOf = (given: Given): readonly Value[] => {
  if (given === undefined || given === null) return []
  return typeof given === 'object' ? given : [[{}, Number(given)]]
}
