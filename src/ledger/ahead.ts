/** Reads something long in order, some at a time, and can look a little ahead. */
export class Ahead<T> {
  readonly #more: (last: T | undefined) => Promise<readonly T[]>
  #held: readonly T[] = []
  #place = 0
  #last: T | undefined
  #isOver = false

  constructor(more: (last: T | undefined) => Promise<readonly T[]>) {
    this.#more = more
  }

  async peek(): Promise<T | undefined> {
    if (this.#place >= this.#held.length) await this.#fill(1)
    return this.#held[this.#place]
  }

  async next(): Promise<T | undefined> {
    const found = this.#place < this.#held.length ? this.#held[this.#place] : await this.peek()
    if (found !== undefined) this.#place++
    return found
  }

  /** The next ones, as many as there are up to a number, without taking them. */
  async window(count: number): Promise<readonly T[]> {
    await this.#fill(count)
    return this.#held.slice(this.#place, this.#place + count)
  }

  async #fill(count: number): Promise<void> {
    while (!this.#isOver && this.#held.length - this.#place < count) {
      const found = await this.#more(this.#last)
      this.#isOver = found.length === 0
      this.#last = found.at(-1) ?? this.#last
      this.#held = [...this.#held.slice(this.#place), ...found]
      this.#place = 0
    }
  }
}
