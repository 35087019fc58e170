import { type EntitySchema, p } from '@mikro-orm/core'
import { claimedDigestSql, claimedEmailSql, globalEntity, inIdentityScopeSql, moment, Row } from '../../orm/index.ts'

export const tokenPurposes = ['EMAIL_VERIFY', 'EMAIL_CHANGE', 'MAGIC_LINK', 'INVITE'] as const
export type TokenPurpose = (typeof tokenPurposes)[number]

/** Proof that somebody reads an address: whoever presents the token behind `token`, its digest, reads mail for `identifier`. */
export class VerificationToken extends Row {
  declare identifier: string
  declare token: string
  declare expires: Date
  declare purpose: TokenPurpose
}

const presented = `${inIdentityScopeSql} and (token = ${claimedDigestSql} or identifier = ${claimedEmailSql})`

export const VerificationTokenSchema: EntitySchema<VerificationToken> = globalEntity({
  class: VerificationToken,
  properties: {
    identifier: p.text(),
    token: p.text().hidden(),
    expires: moment(),
    purpose: p.enum(tokenPurposes),
  },
  uniques: [{ properties: ['identifier', 'token'] }],
  indexes: [{ properties: ['token'] }, { properties: ['expires'] }],
  policies: [{ name: 'presented', using: presented, check: presented }],
})
