/**
 * Documents: files, what is read in them, and what one can ask about them. The file is in a store; the same content is one document in an
 * organization. What was read is searched by its words, and, cut into chunks that a model has placed among all meanings, by what it means.
 * A person talks with a model about a document in a chat, in which nothing is cited that the document doesn't say.
 */
export { addDocument, type DocumentInput, storeDocument, type StoredFile, storeFile, type Taking, type Upload } from './add-document.ts'
export { answerQuestion, type AnswerOptions, type Ask, type Exchange, type ModelAnswer, type Question } from './answer-question.ts'
export { addMessage, chatsOf, type MessageInput, messagesOf, startChat } from './chats.ts'
export { type Chunk, type ChunkOptions, chunksOf } from './chunks-of.ts'
export { Document, DocumentSchema, type DocumentStatus, documentStatuses, documentTransitions, type Reading } from './document.entity.ts'
export {
  ChatMessage,
  ChatMessageSchema,
  type ChatRole,
  chatRoles,
  type Citation,
  DocumentChat,
  DocumentChatSchema,
} from './document-chat.entity.ts'
export { DocumentEmbedding, DocumentEmbeddingSchema } from './document-embedding.entity.ts'
export { type Bytes, type DocumentStore, folderStore, newStorageKey } from './document-store.ts'
export {
  CallInsideTransactionError,
  ChunkingInvalidError,
  CitationFailedError,
  CitationRefusedError,
  ContentMismatchError,
  DimensionMismatchError,
  DocumentInvalidError,
  DocumentTooLargeError,
  DocumentUnreadError,
  EmbeddingFailedError,
  EmbeddingRefusedError,
  FileMissingError,
  MediaTypeRefusedError,
  StorageKeyError,
  UploadLateError,
} from './documents.errors.ts'
export { type Embed, indexDocument, type IndexOptions } from './index-document.ts'
export { mediaTypes } from './media-types.ts'
export { type FileRemover, removeDocument, removeStrayFiles } from './remove-document.ts'
export {
  type HybridHit,
  type HybridSearch,
  type MeaningHit,
  type MeaningSearch,
  searchByMeaning,
  searchDocuments,
  searchHybrid,
  type WordHit,
} from './search-documents.ts'
export { StrayFile, StrayFileSchema } from './stray-file.entity.ts'
