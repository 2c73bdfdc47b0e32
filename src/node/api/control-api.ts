import type { z } from 'zod'
import type { RouteName, Routes } from './routes.ts'
import type { Stamp } from './stamp.ts'
import type { ControlEvent } from './views.ts'

export type * from '../services/service-views.ts'
export type * from './compare-views.ts'
export type * from './document-views.ts'
export type * from './history-views.ts'
export type * from './invite-views.ts'
export type * from './matrix-views.ts'
export type * from './past-views.ts'
export type * from './policy-views.ts'
export type * from './process-views.ts'
export type * from './registry-views.ts'
export type { RouteName } from './routes.ts'
export type * from './stores/store-views.ts'
export type * from './topology-views.ts'
export type * from './views.ts'

export interface CallOptions {
  signal?: AbortSignal
}

export type Input<K extends RouteName> = z.input<Routes[K]['input']>
export type Output<K extends RouteName> = z.output<Routes[K]['output']>
/** An output as its handler makes it: without a stamp, and with a view where it is not that of this process. */
export type Made<K extends RouteName> = Omit<Output<K>, keyof Stamp> & Partial<Stamp<Stamp['view'] | null>>

/** A call; its input may be left out when nothing in it is needed. */
export type Call<K extends RouteName> = (
  ...args: true extends IsOptional<Input<K>>
    ? [input?: Input<K>, options?: CallOptions]
    : [input: Input<K>, options?: CallOptions]
) => Promise<Output<K>>

type IsOptional<T> = string extends keyof T ? true : object extends T ? true : false

/**
 * Operations that a running process can be asked for from its own machine: the operations of routes.ts. Failures are thrown as their classes in
 * the process itself; a client throws a ControlError with the code and the name of that class.
 */
export type ControlApi = { [K in RouteName]: Call<K> } & {
  /** Yields events from now on; ends when the signal fires or the process stops. */
  events(options?: CallOptions): AsyncGenerator<ControlEvent>
}

export type LookupQuery = NonNullable<Input<'lookup'>>
export type InviteQuery = Input<'invite'>
export type PolicyChanges = Input<'setPolicy'>
export type PolicyValues = NonNullable<Input<'previewPolicy'>>
export type WaitingQuery = Omit<Input<'rejectAll'>, 'reason'>
