import Fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { daybookHost } from '../src/http/index.ts'
import { newId } from '../src/kernel/id.ts'
import { openDaybook } from '../src/open-daybook.ts'

/**
 * One of the two hosts that are compared, as a process of its own: `daybook`, or `bare`, which is what somebody writes by hand who needs
 * neither isolation nor a log. Both answer the same JSON to the same paths.
 */
const [kind, databaseUrl] = process.argv.slice(2) as ['bare' | 'daybook', string]

const columns = `id, created_at as "createdAt", updated_at as "updatedAt", name, slug, repository_url as "repositoryUrl",
  default_branch as "defaultBranch", language, status, version`

function bareHost(): FastifyInstance {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
  const app = Fastify()
  const one = `select ${columns} from plain_project where tenant_id = $1 and id = $2`
  const page = `select ${columns} from plain_project where tenant_id = $1 order by id limit $2`
  const insert = `insert into plain_project (id, tenant_id, name, slug) values ($1, $2, $3, $4) returning ${columns}`
  app.get<{ Params: { tenant: string; id: string } }>('/organizations/:tenant/projects/:id', async ({ params }, reply) => {
    const { rows } = await pool.query(one, [params.tenant, params.id])
    return rows[0] ?? reply.code(404).send({ code: 'http.not_found' })
  })
  app.get<{ Params: { tenant: string } }>('/organizations/:tenant/projects', async ({ params }) => {
    const { rows } = await pool.query(page, [params.tenant, 51])
    return { items: rows.slice(0, 50), next: rows.length > 50 ? rows[49].id : null }
  })
  app.post<{ Params: { tenant: string }; Body: { name: string; slug: string } }>(
    '/organizations/:tenant/projects',
    async ({ params, body }, reply) => {
      const { rows } = await pool.query(insert, [newId(), params.tenant, body.name, body.slug])
      return reply.code(201).send(rows[0])
    },
  )
  return app
}

async function daybook(): Promise<FastifyInstance> {
  return daybookHost(await openDaybook({ databaseUrl, environment: 'production', logQueries: false }), { rateLimits: false })
}

const host = kind === 'bare' ? bareHost() : await daybook()
await host.listen({ port: 0, host: '127.0.0.1' })
process.send!((host.server.address() as { port: number }).port)
process.once('disconnect', () => process.exit())
