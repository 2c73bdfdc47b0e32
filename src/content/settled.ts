/** Results of what goes on at once, when none of it goes on any more. @throws the reason of the first that failed */
export async function settled<T>(all: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(all)
  return await Promise.all(all)
}
