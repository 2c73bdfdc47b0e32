import type { ViewOrigin } from './parts.ts'

/** Fields that every answer begins with. */
export interface Stamp<View = ViewOrigin> {
  schema: 1
  /** RFC 3339. */
  generatedAt: string
  view: View
}

/** Stamp of an answer that is made at that time, ms since 1970. Without a node whose view it is the view is null. */
export const stamp = <View extends ViewOrigin | null>(view: View, nowMs: number): Stamp<View> => ({
  schema: 1,
  generatedAt: new Date(nowMs).toISOString(),
  view
})

/** The answer of a command itself, or a failure: nobody's view. What came from a process keeps the stamp that it came with. */
export const unasked = <T extends object>(answer: T): Stamp<null> & T => ({ ...stamp(null, Date.now()), ...answer })

/** Stamp of one answer, for what is told of it piece by piece. */
export const stampOf = <View>({ schema, generatedAt, view }: Stamp<View>): Stamp<View> => ({
  schema,
  generatedAt,
  view
})
