import { DaybookError } from '../../kernel/error.ts'

export class DocumentInvalidError extends DaybookError {
  readonly code = 'documents.invalid'

  constructor(problems: readonly string[]) {
    super(`This can't be kept as a document: ${problems.join('; ')}.`, { problems })
  }
}

export class DocumentTooLargeError extends DaybookError {
  readonly code = 'documents.too_large'

  constructor(maxBytes: number) {
    super(`The file is larger than the ${maxBytes} bytes that are allowed. Send a smaller one.`, { maxBytes })
  }
}

export class UploadLateError extends DaybookError {
  readonly code = 'documents.upload_late'

  constructor() {
    super('The upload took so long that its file was removed meanwhile. Send it again.')
  }
}

export class StorageKeyError extends DaybookError {
  readonly code = 'documents.storage_key'

  constructor() {
    super('The store has no place for this key: it is none of those that newStorageKey makes.')
  }
}

export class FileMissingError extends DaybookError {
  readonly code = 'documents.file_missing'

  constructor(options?: ErrorOptions) {
    super('The file isn’t in the store. Look whether this is the store into which it was put.', {}, options)
  }
}

export class MediaTypeRefusedError extends DaybookError {
  readonly code = 'documents.media_type'

  constructor(accepted: readonly string[]) {
    super(`Files of this type are not taken. Say in Content-Type what it is, one of: ${accepted.join(', ')}.`, { accepted })
  }
}

export class ContentMismatchError extends DaybookError {
  readonly code = 'documents.content_mismatch'

  constructor(mimeType: string, options?: ErrorOptions) {
    super(`The file is not what files of type ${mimeType} are like. Send it under the type that it has.`, { mimeType }, options)
  }
}

export class DocumentUnreadError extends DaybookError {
  readonly code = 'documents.unread'

  constructor(document: string, status: string) {
    super(`Document ${document} is ${status}, so its text isn't known yet. Index it when it is COMPLETED.`, { document, status })
  }
}

export class ChunkingInvalidError extends DaybookError {
  readonly code = 'documents.chunking_invalid'

  constructor(size: number, overlap: number) {
    super(`Text can't be cut into chunks of ${size} that share ${overlap}. Give a whole size of 2 or more, and an overlap below it.`, {
      size,
      overlap,
    })
  }
}

export class EmbeddingRefusedError extends DaybookError {
  readonly code = 'documents.embedding_refused'

  constructor(model: string, because: string) {
    super(`The vector is no embedding of ${model}: ${because}. Send what the model answers, number by number.`, { model })
  }
}

/** Nobody who asks can help it: the model is ours to choose. */
export class EmbeddingFailedError extends DaybookError {
  readonly code = 'documents.embedding_failed'

  constructor(model: string, because: string) {
    super(`What ${model} answered is no embedding: ${because}. Check the model and the call to it.`, { model })
  }
}

export class DimensionMismatchError extends DaybookError {
  readonly code = 'documents.dimension_mismatch'

  constructor(model: string, options?: ErrorOptions) {
    super(
      `The vector has another length than the others of ${model} here, so nothing could be compared. Give a model of another length another name, or remove its embeddings first.`,
      { model },
      options,
    )
  }
}

export class CitationRefusedError extends DaybookError {
  readonly code = 'documents.citation_refused'

  declare readonly details: { readonly document: string; readonly chunks: readonly string[] }

  constructor(document: string, chunks: readonly number[]) {
    super(`Document ${document} doesn't say what is quoted from chunk ${chunks.join(', ')}. Quote what stands there, word by word.`, {
      document,
      chunks: chunks.map(String),
    })
  }
}

/** Nobody who asks can help it: the answer is the model's. */
export class CitationFailedError extends DaybookError {
  readonly code = 'documents.citation_failed'

  constructor(document: string, chunks: readonly string[], options?: ErrorOptions) {
    super(
      `The model quotes from chunk ${chunks.join(', ')} what document ${document} doesn't say, so its answer isn't kept. Ask again, or check the model and the call to it.`,
      { document, chunks },
      options,
    )
  }
}

export class CallInsideTransactionError extends DaybookError {
  readonly code = 'documents.call_inside_transaction'

  constructor(what: string) {
    super(`${what} waits for somebody elsewhere, and would hold its transaction open. Pass the EntityManager of daybook.scope.`, { what })
  }
}
