/**
 * Source of the program that is installed: the running package with its Node and dependencies, or an unpacked release.
 * The copy has `bin/trustnet`, which runs on its own Node, at its top.
 */
export interface ProgramSource {
  readonly version: string
  /** For the plan: "the running package /work/trustnet with Node 24.21.0". */
  readonly about: string
  /** It is the program of /opt/trustnet itself, which was trusted when it came there. */
  readonly isInstalled: boolean
  /** true: this package, which not everybody needs, is in it. */
  carries(name: string): boolean
  /** Bytes that the copy needs. */
  bytes(): Promise<number>
  /** Writes the whole program into a folder that does not exist yet. */
  copyTo(folder: string, options: { signal: AbortSignal; onFile?: (files: number) => void }): Promise<void>
}
