import { Locale as TypeBoxLanguage } from 'typebox/system'
import type { InvalidPart } from '../http.errors.ts'
import { frenchProblems } from './fr-problems.ts'
import type { Language } from './language.ts'
import { fr as words } from './typeset.ts'

const titles: Readonly<Record<number, string>> = {
  400: 'Requête incorrecte',
  401: 'Authentification requise',
  402: 'Paiement requis',
  403: 'Accès refusé',
  404: 'Introuvable',
  405: 'Méthode non autorisée',
  408: 'Requête trop lente',
  409: 'Conflit',
  410: 'N’existe plus',
  412: 'Condition non remplie',
  413: 'Contenu trop volumineux',
  414: 'Adresse trop longue',
  415: 'Type de contenu non pris en charge',
  421: 'Requête mal adressée',
  422: 'Contenu non traitable',
  428: 'Condition requise',
  429: 'Trop de requêtes',
  431: 'En-têtes trop volumineux',
  499: 'Demande abandonnée',
  500: 'Erreur interne du serveur',
  502: 'Mauvaise passerelle',
  503: 'Service indisponible',
  504: 'Délai de la passerelle dépassé',
}

export const fr: Language = {
  tag: 'fr',
  title: status => titles[status] ?? 'Erreur',
  detail: ({ code, saysAs = code, details = {}, detail }) => frenchProblems[saysAs]?.(details) ?? detail,
  complaint: part => (part.schemaError ? schemaComplaint(part.schemaError) : phraseFor(part.detail)),
  mails: {
    verification: token => ({
      subject: 'Confirmez votre adresse e-mail',
      text: words`Confirmez que cette adresse est bien la vôtre avec ce jeton, dans les 24 heures :\n\n${token}\n\nPOST /auth/verify-email { "token": "…" }`,
    }),
    passwordReset: token => ({
      subject: 'Choisissez un nouveau mot de passe',
      text: words`Un nouveau mot de passe a été demandé pour cette adresse. Si c’était vous, utilisez ce jeton dans l’heure :\n\n${token}\n\nPOST /auth/reset-password { "token": "…", "password": "…" }\n\nSinon, ne faites rien.`,
    }),
    invitation: (organization, token) => ({
      subject: words`Vous êtes invité(e) à rejoindre ${organization}`,
      text: words`Rejoignez ${organization} avec ce jeton, dans les sept jours :\n\n${token}\n\nPOST /invitations/accept { "token": "…" }, une fois connecté(e) ; ou avec un nom et un mot de passe si vous n’avez pas encore de compte.`,
    }),
    newsletter: (organization, token, link) => ({
      subject: words`Merci de confirmer : les nouvelles de ${organization}`,
      text: words`La lettre d’information de ${organization} a été demandée pour cette adresse. Si c’était vous, confirmez dans les sept jours :\n\n${link ?? `${token}\n\nPOST /newsletters/confirm?token=…`}\n\nSinon, ne faites rien, et rien ne viendra.`,
    }),
  },
  newsletter: {
    confirm: {
      ask: words`Voulez-vous recevoir cette lettre d’information ?`,
      button: 'Oui, je veux la recevoir',
      done: 'Merci. La lettre d’information vous parviendra.',
    },
    unsubscribe: {
      ask: words`Voulez-vous ne plus recevoir cette lettre d’information ?`,
      button: 'Oui, me désabonner',
      done: 'Vous ne recevrez plus cette lettre d’information.',
    },
  },
}

const types: Readonly<Record<string, string>> = {
  string: 'une chaîne de caractères',
  number: 'un nombre',
  integer: 'un nombre entier',
  boolean: 'un booléen',
  object: 'un objet',
  array: 'une liste',
  null: 'null',
}

/** The validator knows French, but calls types by their English names. */
function schemaComplaint(error: NonNullable<InvalidPart['schemaError']>): string {
  if (error.keyword !== 'type') return TypeBoxLanguage.fr_FR(error)
  return `doit être ${[error.params.type]
    .flat()
    .map(type => types[type] ?? type)
    .join(' ou ')}`
}

/** What the host itself complains about, with what it fills in. */
export const phrases: readonly (readonly [english: RegExp, french: string])[] = [
  [/^is required$/, 'est obligatoire'],
  [/^is given more than once$/, 'est donné plusieurs fois'],
  [/^is not a field of this$/, 'n’est pas un champ de cet objet'],
  [/^is no field that you see$/, 'n’est pas un champ que vous voyez'],
  [/^must not hold NUL characters or broken Unicode$/, 'ne doit contenir ni caractère NUL ni Unicode incorrect'],
  [/^is too large a number$/, 'est un nombre trop grand'],
  [/^is nested more than (.+) levels deep$/, 'ne doit pas comporter plus de $1 niveaux imbriqués'],
  [/^must be a moment in the future$/, 'doit être un moment à venir'],
  [/^is for somebody new, and you are signed in$/, 'ne sert qu’à une personne nouvelle, or vous êtes connecté(e)'],
  [/^is not an event as Stripe tells it$/, 'n’est pas un événement tel que Stripe les envoie'],
  [/^holds a value that this field can’t have$/, 'contient une valeur que ce champ ne peut pas prendre'],
  [/^there is no field (.+) to show$/, 'il n’y a pas de champ $1 à montrer'],
  [/^shows at most three relations$/, 'montre trois relations au plus'],
  [/^(.+) is no relation that can be shown$/, '$1 n’est pas une relation qui peut être montrée'],
  [/^(.+) needs the permission (.+)$/, '$1 demande l’autorisation $2'],
]

function phraseFor(english: string): string {
  const phrase = phrases.find(([pattern]) => pattern.test(english))
  return phrase ? english.replace(...phrase) : english
}
