import { DaybookError } from '../kernel/error.ts'
import { DatabaseUnreachableError } from './orm.errors.ts'

interface Cause {
  readonly when: (code: string, message: string) => boolean
  readonly because: string
  readonly next: (target: Target) => string
}

type Target = ReturnType<typeof targetOf>

const causes: readonly Cause[] = [
  {
    when: code => code === 'ECONNREFUSED',
    because: 'nothing listens there',
    next: () => 'Start the server (`docker compose up -d`), or unset DATABASE_URL to use the embedded database.',
  },
  {
    when: code => code === 'ENOTFOUND' || code === 'EAI_AGAIN',
    because: 'the host name is unknown',
    next: () => 'Check the host in the URL.',
  },
  {
    when: (code, message) => code === 'ETIMEDOUT' || message.includes('timeout'),
    because: 'the server does not answer in time',
    next: ({ host, port }) => `Check the network: \`pg_isready -h ${host} -p ${port}\`.`,
  },
  {
    when: code => code === '28P01' || code === '28000',
    because: 'the role or its password is not accepted',
    next: ({ role }) =>
      `Check the password in the URL. If the role is missing, run \`npx mikro-orm migration:up\` with DIRECT_URL as an administrator; it makes ${role}.`,
  },
  {
    when: code => code === '3D000',
    because: 'the database does not exist',
    next: ({ database }) => `Create it: \`createdb ${database}\`.`,
  },
  {
    when: (_code, message) => message.includes('does not support SSL'),
    because: 'the server takes no encrypted connection',
    next: () => 'Switch TLS on at the server, or say `sslmode=disable` where the way to it is safe.',
  },
  {
    when: code => /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code),
    because: 'its certificate could not be verified',
    next: ({ host }) => `Give the authority's certificate in NODE_EXTRA_CA_CERTS, and ask for ${host} by a name that stands in it.`,
  },
  {
    when: code => code === '53300' || code === '08P01',
    because: 'the server has no connection left or refuses the protocol',
    next: () => 'Lower DB_POOL_MAX, or look at the pooler’s log.',
  },
]

/** Names host, port, database and role, the likely cause and the next step; never the password. */
export function explainConnectionFailure(url: string, error: unknown): Error {
  if (error instanceof DaybookError) return error
  const target = targetOf(url)
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string }
  const cause = causes.find(({ when }) => when(code, message))
  return new DatabaseUnreachableError(
    `No connection to database ${target.database} at ${target.host}:${target.port} as ${target.role}: ${cause?.because ?? message}. ${cause?.next(target) ?? ''}`.trim(),
    { ...target },
    { cause: error },
  )
}

function targetOf(url: string) {
  const { hostname, port, pathname, username } = new URL(url)
  return { host: hostname, port: Number(port || 5432), database: decodeURIComponent(pathname.slice(1)), role: decodeURIComponent(username) }
}
