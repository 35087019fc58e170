import { STATUS_CODES } from 'node:http'
import type { Language } from './language.ts'

/** Errors speak English themselves, so there is nothing to look up. */
export const en: Language = {
  tag: 'en',
  title: status => STATUS_CODES[status] ?? (status === 499 ? 'Abandoned' : 'Error'),
  detail: ({ detail }) => detail,
  complaint: ({ detail }) => detail,
  mails: {
    verification: token => ({
      subject: 'Confirm your e-mail address',
      text: `Confirm that this address is yours with this token, within 24 hours:\n\n${token}\n\nPOST /auth/verify-email { "token": "…" }`,
    }),
    passwordReset: token => ({
      subject: 'Set a new password',
      text: `Somebody asked for a new password for this address. If it was you, use this token within an hour:\n\n${token}\n\nPOST /auth/reset-password { "token": "…", "password": "…" }\n\nOtherwise do nothing.`,
    }),
    invitation: (organization, token) => ({
      subject: `You are invited to ${organization}`,
      text: `Join ${organization} with this token, within seven days:\n\n${token}\n\nPOST /invitations/accept { "token": "…" }, signed in; or with a name and a password if you are new here.`,
    }),
    newsletter: (organization, token, link) => ({
      subject: `Please confirm: news from ${organization}`,
      text: `Somebody asked for the newsletter of ${organization} at this address. If it was you, confirm within seven days:\n\n${link ?? `${token}\n\nPOST /newsletters/confirm?token=…`}\n\nOtherwise do nothing, and none comes.`,
    }),
  },
  newsletter: {
    confirm: { ask: 'Do you want this newsletter?', button: 'Yes, send it to me', done: 'Thank you. The newsletter will come to you.' },
    unsubscribe: {
      ask: 'Do you want to stop getting this newsletter?',
      button: 'Yes, unsubscribe',
      done: 'You will not get this newsletter again.',
    },
  },
}
