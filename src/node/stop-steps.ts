/** Steps that a stop takes one after the other, and which of it is under way: what hangs can be named. */
export class StopSteps {
  #at = ''

  /** In words; empty before a stop. */
  get at(): string {
    return this.#at
  }

  async wait(name: string, work: PromiseLike<unknown> | undefined): Promise<void> {
    this.#at = name
    await work
  }
}
