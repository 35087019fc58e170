import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Language, languageOf } from './languages/index.ts'

type Link = keyof Language['newsletter']

/** A browser; a mail program that clicks by itself asks for no page. */
export function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') ?? false
}

export function askOnPage(request: FastifyRequest, reply: FastifyReply, link: Link): FastifyReply {
  const { ask, button } = languageOf(request).newsletter[link]
  // Without an action it goes to where the page is, token and all.
  return pageWith(request, reply, ask, `<form method="post"><button>${button}</button></form>`)
}

export function tellOnPage(request: FastifyRequest, reply: FastifyReply, link: Link): FastifyReply {
  return pageWith(request, reply, languageOf(request).newsletter[link].done)
}

/** Nothing of what was sent stands in it, so there is nothing to escape. */
function pageWith(request: FastifyRequest, reply: FastifyReply, text: string, form = ''): FastifyReply {
  const { tag } = languageOf(request)
  const page = `<!doctype html><html lang="${tag}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text}</title><p>${text}</p>${form}</html>\n`
  // A string of its own, so that the answer's schema, which is for programs, is not applied.
  return reply.type('text/html; charset=utf-8').header('content-language', tag).serializer(String).send(page)
}
