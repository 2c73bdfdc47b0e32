import { onTestFinished } from 'vitest'

/** Disposes of each when the test is over, newest first. */
export function disposeAfterTest(...all: readonly (AsyncDisposable | Disposable)[]): void {
  onTestFinished(async () => {
    for (const each of all.toReversed()) {
      if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]()
      else each[Symbol.dispose]()
    }
  })
}
