import type { LibraryMetrics } from '../host/libp2p.ts'

/** Metrics of a process, in the text format of Prometheus. */
export interface ProcessMetrics extends Disposable {
  readonly contentType: string
  /** All metrics as they are now. */
  text(): Promise<string>
  /** Metrics that the next libp2p host of this process fills in. */
  forHost(): LibraryMetrics
}
