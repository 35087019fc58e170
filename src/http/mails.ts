import type { Mail } from './mailer.ts'

export function verificationMail(to: string, token: string): Mail {
  return {
    to,
    subject: 'Confirm your e-mail address',
    text: `Confirm that this address is yours with this token, within 24 hours:\n\n${token}\n\nPOST /auth/verify-email { "token": "…" }`,
  }
}

export function passwordResetMail(to: string, token: string): Mail {
  return {
    to,
    subject: 'Set a new password',
    text: `Somebody asked for a new password for this address. If it was you, use this token within an hour:\n\n${token}\n\nPOST /auth/reset-password { "token": "…", "password": "…" }\n\nOtherwise do nothing.`,
  }
}

export function invitationMail(to: string, organization: string, token: string): Mail {
  return {
    to,
    subject: `You are invited to ${oneLine(organization)}`,
    text: `Join ${oneLine(organization)} with this token, within seven days:\n\n${token}\n\nPOST /invitations/accept { "token": "…" }, signed in; or with a name and a password if you are new here.`,
  }
}

/** A name with a line break in it would write headers of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 120)
}
