import { randomBytes } from 'node:crypto'
import { SlugInvalidError } from './organization.errors.ts'

const shape = /^[a-z0-9](-?[a-z0-9])*$/

export function assertSlug(slug: string): string {
  if (slug.length > 63 || !shape.test(slug)) throw new SlugInvalidError()
  return slug
}

/** A slug that reads like the name: "Société Générale" becomes `societe-generale`. */
export function slugOf(name: string): string {
  const folded = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const slug = folded
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replace(/^-+|-+$/g, '')
  return slug || `organization-${suffix()}`
}

/** For a name whose own slug is taken. */
export function slugBeside(slug: string): string {
  return `${slug}-${suffix()}`
}

function suffix(): string {
  return randomBytes(4).toString('hex')
}
