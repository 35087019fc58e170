import { type EntitySchema, type Opt, p } from '@mikro-orm/core'
import { storableText } from '../../kernel/storable.ts'
import { nextState, type Transitions } from '../../kernel/transitions.ts'
import { rowTrigger, tenantEntity, TenantRow } from '../../orm/index.ts'

export const documentStatuses = ['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED'] as const
export type DocumentStatus = (typeof documentStatuses)[number]

/** What has been read stays read: a better reading is another document. */
export const documentTransitions: Transitions<DocumentStatus> = {
  PENDING: ['PROCESSING'],
  PROCESSING: ['COMPLETED', 'FAILED'],
  COMPLETED: [],
  FAILED: ['PENDING'],
}

/** What reading a document has brought to light. */
export interface Reading {
  readonly ocrText: string
  /** By what it was read, in which language, how surely. */
  readonly ocrMeta?: Record<string, unknown>
  readonly pageCount?: number
}

/** A file that somebody has given, and the text that was read in it. The file itself is in a store, under its key. */
export class Document extends TenantRow {
  declare title: string
  declare storageKey: string
  declare mimeType: string
  declare sizeBytes: number
  /** Of the file's content, in hex. */
  declare sha256: string
  declare status: Opt<DocumentStatus>
  declare ocrText?: string | null
  declare ocrMeta: Opt<Record<string, unknown>>
  declare pageCount?: number | null
  /** Why it couldn't be read. */
  declare error?: string | null
  declare version: Opt<number>
  /** Made by the database, for `searchDocuments` alone. */
  declare searchVector?: Opt<string> | null

  startProcessing(): void {
    this.become('PROCESSING')
  }

  complete({ ocrText, ocrMeta = {}, pageCount }: Reading): void {
    this.become('COMPLETED')
    this.ocrText = storableText(ocrText)
    this.ocrMeta = ocrMeta
    this.pageCount = pageCount ?? null
  }

  fail(error: string): void {
    this.become('FAILED')
    this.error = storableText(error)
  }

  /** The database refuses it where the same file has been given again meanwhile: that one is read instead. */
  retry(): void {
    this.become('PENDING')
    this.error = null
  }

  private become(status: DocumentStatus): void {
    this.status = nextState('A document', documentTransitions, this.status, status)
  }
}

/** Without stemming: nobody has said which language a file is in. */
const searchVector = `setweight(to_tsvector('simple'::regconfig, title), 'A') || setweight(daybook_words_in(coalesce(ocr_text, '')), 'B')`

/** Whoever deletes a document, its file has to go too, and can't go in the transaction. So its key is noted for the job that removes files. */
const straysFile = rowTrigger({
  table: 'document',
  name: 'strays_file',
  at: 'after',
  events: ['delete'],
  body: `begin
      insert into stray_file (id, tenant_id, storage_key, due_at) values (gen_random_uuid(), old.tenant_id, old.storage_key, now())
        on conflict (tenant_id, storage_key) do nothing;
      return null;
    end;`,
})

export const DocumentSchema: EntitySchema<Document> = tenantEntity({
  class: Document,
  properties: {
    title: p.text(),
    storageKey: p.text(),
    mimeType: p.text(),
    sizeBytes: p.bigint('number'),
    sha256: p.text(),
    status: p.enum(documentStatuses).default('PENDING'),
    ocrText: p.text().nullable(),
    ocrMeta: p
      .json<Record<string, unknown>>()
      .onCreate(() => ({}))
      .defaultRaw(`'{}'`),
    pageCount: p.integer().nullable(),
    error: p.text().nullable(),
    version: p.integer().version(),
    searchVector: p.string().columnType('tsvector').generated(`(${searchVector}) stored`).nullable().lazy().hidden(),
  },
  uniques: [
    { properties: ['storageKey'] },
    // One that couldn't be read doesn't stand in the way of giving the file again.
    { name: 'document_same_file', properties: ['sha256'], where: `status <> 'FAILED'` },
  ],
  indexes: [
    { properties: ['status', 'createdAt'] },
    {
      name: 'document_search',
      properties: ['searchVector'],
      expression: 'create index "document_search" on "document" using gin ("search_vector")',
    },
  ],
  checks: [
    { name: 'document_title', expression: `title ~ '[^[:space:]]'` },
    { name: 'document_sha256_shape', expression: `sha256 ~ '^[0-9a-f]{64}$'` },
    { name: 'document_mime_type_shape', expression: `mime_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$'` },
    { name: 'document_counts', expression: 'size_bytes >= 0 and page_count >= 0' },
    { name: 'document_read', expression: `(status = 'COMPLETED') = (ocr_text is not null)` },
    { name: 'document_failed', expression: `(status = 'FAILED') = (error is not null)` },
  ],
  immutable: ['storageKey', 'mimeType', 'sizeBytes', 'sha256'],
  // Nobody knows beforehand of whom a file tells; it is a person to the log, so that its words can be made to go.
  audit: { personal: ['ocrText', 'ocrMeta'] },
  triggers: [straysFile],
})
