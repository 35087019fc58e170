import { randomBytes } from 'node:crypto'
import { ConfigurationError, type SeedConfig } from '../src/config.ts'

/** What everybody in the demo signs in with. */
export interface DemoPasswords {
  readonly of: (email: string) => string
  /** Known from elsewhere, so there is no need to print it. */
  readonly areKnown: boolean
  /** Written in this file for everybody to read, and shorter than people's may be. */
  readonly areInsecure: boolean
}

export function onePassword(password?: string): DemoPasswords {
  const chosen = password ?? randomBytes(12).toString('base64url')
  return { of: () => chosen, areKnown: password !== undefined, areInsecure: false }
}

export const insecurePasswords: DemoPasswords = {
  of: email => (email.startsWith('admin@') ? 'Admin123!' : 'Demo123!'),
  areKnown: true,
  areInsecure: true,
}

export const insecureFlag = '--insecure-demo-passwords'

/** Passwords that the whole world knows are had only by whoever asks for them, and never in production. */
export function demoPasswords(config: SeedConfig, isAskedFor = false): DemoPasswords {
  if (!config.insecureDemoPasswords && !isAskedFor) return onePassword(config.seedPassword)
  if (config.environment === 'production') {
    throw new ConfigurationError([`${insecureFlag} is refused in production: everybody knows these passwords. Leave it out.`])
  }
  return insecurePasswords
}
