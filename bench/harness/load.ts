import { quantile } from './spread.ts'

export interface LoadResult {
  perSecond: number
  p50: number
  p99: number
}

/** Does all jobs with so many of them on their way at any time; times in ms. */
export async function runLoad(
  jobs: number,
  inFlight: number,
  run: (job: number, lane: number) => Promise<unknown>
): Promise<LoadResult> {
  const times = new Float64Array(jobs)
  let next = 0
  const lane = async (number: number): Promise<void> => {
    for (let job = next++; job < jobs; job = next++) {
      const from = performance.now()
      await run(job, number)
      times[job] = performance.now() - from
    }
  }
  const from = performance.now()
  await Promise.all(Array.from({ length: Math.min(inFlight, jobs) }, (_, number) => lane(number)))
  const seconds = (performance.now() - from) / 1000
  return { perSecond: jobs / seconds, p50: quantile([...times], 0.5), p99: quantile([...times], 0.99) }
}
