import { z } from 'zod'

/** Need of a call: this process alone, a network that was found, being its root, or that or the signature of an operator. */
type Needs = 'process' | 'network' | 'root' | 'operator'

/** One operation of a running process. */
export interface Route<In extends z.ZodObject = z.ZodObject, Out extends z.ZodObject = z.ZodObject> {
  summary: string
  needs: Needs
  /** Changes something: never by GET. */
  writes: boolean
  input: In
  output: Out
  /** Path of the HTTP server; undefined: it is asked at the control socket alone. An answer whose `ok` is false has the status 503 there. */
  path?: string
}

const route =
  <N extends Needs>(needs: N, writes: boolean) =>
  <Out extends z.ZodObject, In extends z.ZodRawShape>(summary: string, output: Out, input: In, path?: string) => ({
    summary,
    needs,
    writes,
    input: z.strictObject(input),
    output,
    ...(path !== undefined && { path })
  })

export const ask = { process: route('process', false), network: route('network', false), root: route('root', false) }
export const tell = { process: route('process', true), network: route('network', true), root: route('root', true) }
export const order = route('operator', true)
