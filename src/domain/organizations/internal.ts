/** What the rest of Daybook needs of this area, and no application. */
export { ownOrganization } from './organizations-of.ts'
export { isServedHere } from './served-here.ts'
export { assertSlug, slugBeside, slugOf } from './slug.ts'
