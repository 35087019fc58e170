/** What the rest of Daybook needs of this area, and no application. */
export { requireContent } from './media-types.ts'
export { countStrayFiles } from './remove-document.ts'
