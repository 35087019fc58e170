import type { FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import {
  type Bytes,
  Document,
  DocumentInvalidError,
  type DocumentStore,
  DocumentTooLargeError,
  FileMissingError,
  folderStore,
  mediaTypes,
  StorageKeyError,
  type StoredFile,
  storeFile,
} from '../domain/documents/index.ts'
import { requireContent } from '../domain/documents/internal.ts'
import type { App } from './app.ts'
import { requireSession } from './authentication.ts'
import { actorOf } from './principal.ts'
import { hostOf } from './host-state.ts'
import { knownOf } from './request-state.ts'
import { cleanTitle, mediaTypeIn, sendFile } from './document-file.ts'
import { exactly, organizationParams, withinOrganization } from './fields.ts'
import { RequestAbandonedError, ResourceNotFoundError } from './http.errors.ts'
import { inTenant, type Work } from './in-tenant.ts'
import type { PluginOptions } from './options.ts'
import { storyOf } from './request-story.ts'
import type { ShownAs } from './resources/index.ts'
import { type Answer, answeredOnce, bodyAfterHead, idempotencyHeaders } from './respond.ts'

const uploadQuery = exactly({ title: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }) })
const path = '/organizations/:organization/documents'

/**
 * Files over HTTP, each of them the whole body of a request. Whoever sends one may do so before the first byte of it is read; it goes to the
 * store as it comes, and the document is there when all of it is.
 */
export function documentFileRoutes(app: App, { files = {} }: Pick<PluginOptions, 'files'>, shownAs: ShownAs): void {
  const shown = shownAs(Document)
  if (!shown) return
  const { database } = hostOf(app)
  const { store = folderStore('.daybook/files'), maxBytes = 50_000_000, accept = mediaTypes } = files

  app.post(
    path,
    {
      config: { takesTime: true, requestBody: { types: accept, schema: { type: 'string', format: 'binary' } } },
      schema: {
        summary: 'create document',
        description:
          `Needs the permission \`document:create\`. The body is the file, of at most ${maxBytes} bytes, and \`Content-Type\` says what it is. ` +
          'A file that is there already answers 200 with its document.',
        params: organizationParams,
        headers: idempotencyHeaders,
        querystring: uploadQuery,
        response: { 200: shown.answer, 201: shown.answer },
      },
      serializerCompiler: () => value => JSON.stringify(value),
    },
    async (request, reply) => {
      const tenant = await inTenant(request, 'document:create', ({ organization }) => Promise.resolve(organization.id))
      const [title, mimeType] = [titleIn(request.query), mediaTypeIn(request, accept)]
      if (Number(request.headers['content-length']) > maxBytes) throw new DocumentTooLargeError(maxBytes)
      const em = database.scope({ tenant, actor: actorOf(knownOf(request).principal!), ...storyOf(request.id, request.headers) })
      const add = async (work: Work, file: StoredFile): Promise<Answer> => {
        const row = await file.add(work.em)
        const { etag, body } = await shown.tell(work, row)
        const location = `${app.prefix}/organizations/${tenant}/documents/${row.id}`
        return { status: row.storageKey === file.storageKey ? 201 : 200, headers: { etag, location }, body }
      }
      const take = (file: StoredFile) =>
        stillInTenant(request, async work => {
          const { made, isReplay } = await answeredOnce(request, work, { mimeType, sha256: file.sha256 }, remembered =>
            add(remembered, file),
          )
          if (isReplay) await file.leave(work.em)
          return made
        })
      return bodyAfterHead(
        reply,
        await storeFile(em, store, requireContent(bytesOf(request), mimeType), { title, mimeType, maxBytes, take }),
      )
    },
  )

  app.get(
    `${path}/:id/file`,
    {
      schema: {
        summary: 'get the file of document',
        description: 'Needs the permission `document:read`. One `Range` is given where one is asked for.',
        params: withinOrganization,
        produces: [...accept],
      },
    },
    async (request, reply) => {
      const document = await inTenant(request, 'document:read', async ({ em }) => {
        const found = await em.findOne(Document, request.params.id.toLowerCase())
        if (!found) throw new ResourceNotFoundError('document')
        return found
      })
      return sendFile(request, reply, document, () => fileOf(store, document))
    },
  )
}

/** Whoever might begin to send a file may have been shut out before all of it was here, and then nothing of it is kept. */
async function stillInTenant<A>(request: FastifyRequest, handle: (work: Work) => Promise<A>): Promise<A> {
  await requireSession(request)
  return inTenant(request, 'document:create', handle)
}

/** A key that the store can't have is a file that it hasn't. */
async function fileOf(store: DocumentStore, { storageKey }: Document): Promise<Bytes> {
  try {
    return await store.get(storageKey)
  } catch (error) {
    throw error instanceof StorageKeyError ? new FileMissingError({ cause: error }) : error
  }
}

function titleIn({ title }: { readonly title: string }): string {
  const clean = cleanTitle(title)
  if (clean === '') throw new DocumentInvalidError(['it has no title'])
  return clean
}

async function* bytesOf({ body }: FastifyRequest): Bytes {
  if (!body) return
  const stream = body as Readable
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as Bytes
  } catch (error) {
    throw new RequestAbandonedError({ cause: error })
  } finally {
    if (!stream.readableEnded) letEnd(stream)
  }
}

const lingerMs = 5_000

/** Reading broke off. Whoever still sends gets a while to come to the end and to read why, and then the connection is closed. */
function letEnd(stream: Readable): void {
  const timer = setTimeout(() => stream.destroy(), lingerMs).unref()
  stream.once('end', () => clearTimeout(timer))
  // The stream has to forget first that it was read by hand.
  setImmediate(() => stream.resume())
}
