import { Session } from 'node:inspector/promises'

/** Which functions have run in this process since `start`, by name, as the engine itself counts them. */
export class CalledFunctions {
  readonly #session = new Session()

  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  }

  async names(): Promise<ReadonlySet<string>> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    this.#session.disconnect()
    const ours = result.filter(({ url }) => url.includes('/src/'))
    const ran = ours.flatMap(({ functions }) => functions.filter(({ ranges }) => ranges.some(({ count }) => count > 0)))
    return new Set(ran.map(({ functionName }) => functionName))
  }
}
