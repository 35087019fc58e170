import { type EntitySchema, type Opt, p, type Ref } from '@mikro-orm/core'
import { rowTrigger, tenantEntity, TenantRow } from '../../orm/index.ts'
import { Document } from './document.entity.ts'

/** A piece of a document's text, and where it stands among all meanings: what one model has made of it. */
export class DocumentEmbedding extends TenantRow {
  declare document: Ref<Document>
  /** Counted from 0, for each model by itself. */
  declare chunkIndex: number
  /** Where the piece begins in the document's text. */
  declare startsAt: Opt<number>
  declare content: string
  declare embedding: number[]
  /** With whatever makes its vectors others: `text-embedding-3-large@1024`. */
  declare model: string
  declare tokenCount: number
}

/**
 * Vectors of one model have one length in one organization. The check spans rows, so those who write for a model take turns: the first two
 * would each find nothing to compare with.
 */
const oneLength = rowTrigger({
  table: 'document_embedding',
  name: 'dimension',
  at: 'before',
  events: ['insert', 'update of embedding, model'],
  body: `declare others int;
    begin
      perform pg_advisory_xact_lock(hashtextextended('daybook embeddings ' || new.tenant_id || new.model, 0));
      select cardinality(e.embedding) into others from document_embedding e
        where e.tenant_id = new.tenant_id and e.model = new.model and e.id <> new.id limit 1;
      if others <> cardinality(new.embedding) then
        raise exception using errcode = '23514', table = 'document_embedding', constraint = 'document_embedding_dimension',
          message = 'a vector of another length than the others of this model';
      end if;
      return new;
    end;`,
})

const isDirection = `array_ndims(embedding) = 1 and array_position(embedding, null) is null and 'NaN'::real <> all (embedding)
  and 'Infinity'::real <> all (embedding) and '-Infinity'::real <> all (embedding) and 0::real <> any (embedding)`

export const DocumentEmbeddingSchema: EntitySchema<DocumentEmbedding> = tenantEntity({
  class: DocumentEmbedding,
  properties: {
    document: () => p.manyToOne(Document).ref().deleteRule('cascade'),
    chunkIndex: p.integer(),
    startsAt: p.integer().default(0),
    content: p.text(),
    // A vector is larger than everything else, and the database alone looks into it.
    embedding: p.array(Number, String).columnType('real[]').lazy(),
    model: p.text(),
    tokenCount: p.integer(),
  },
  uniques: [{ properties: ['document', 'model', 'chunkIndex'] }],
  indexes: [{ properties: ['model'] }],
  checks: [
    { name: 'document_embedding_counts', expression: 'chunk_index >= 0 and starts_at >= 0 and token_count >= 0' },
    { name: 'document_embedding_direction', expression: isDirection.replaceAll(/\s+/g, ' ') },
  ],
  immutable: ['document'],
  triggers: [oneLength],
  // Made from the document's text, which the log has, and made anew at any time: vectors would be most of the log and tell nobody anything.
  audit: false,
})
