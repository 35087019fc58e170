import { hash } from 'node:crypto'

export interface KnownKey {
  readonly apiKeyId: string
  readonly tenantId: string
  /** What was found about it and its organization, to the letter. */
  readonly found: string
}

const remembered = 10_000
/** Not longer than a key's use may go unnoticed: whoever is forgotten is looked up, and that notes the use. */
const rememberedMs = 60_000

/**
 * Whose key was seen not long ago, so that a request doesn't ask twice: it says which key a unit of work has to look at, and only that look
 * opens anything. By digest, for nobody who reads the memory shall find a key in it.
 */
export class RecentKeys {
  readonly #keys = new Map<string, KnownKey & { readonly until: number }>()

  find(key: string): KnownKey | undefined {
    const found = this.#keys.get(digestOf(key))
    return found && found.until > performance.now() ? found : undefined
  }

  remember(key: string, { apiKeyId, tenantId, found }: KnownKey): void {
    const [oldest] = this.#keys.size < remembered ? [] : this.#keys.keys()
    if (oldest !== undefined) this.#keys.delete(oldest)
    this.#keys.set(digestOf(key), { apiKeyId, tenantId, found, until: performance.now() + rememberedMs })
  }

  forget(key: string): void {
    this.#keys.delete(digestOf(key))
  }
}

const digestOf = (key: string) => hash('sha256', key, 'base64url')
