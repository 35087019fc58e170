/** What the built-in pipelines and templates say in an organization that speaks French, by their keys; all else about them is the same. */
interface FrenchPipeline {
  readonly name: string
  readonly words?: readonly string[]
  readonly stages: Readonly<Record<string, string>>
}

export const frenchPipelines: Readonly<Record<string, FrenchPipeline>> = {
  sales: {
    name: 'Ventes',
    words: ['prix', 'offre', 'devis', 'acheter', 'démo'],
    stages: {
      new: 'Nouveau',
      qualified: 'Qualifié',
      proposal: 'Proposition',
      negotiation: 'Négociation',
      won: 'Gagné',
      lost: 'Perdu',
    },
  },
  support: {
    name: 'Assistance',
    words: ['aide', 'erreur', 'panne', 'bogue', 'problème'],
    stages: {
      new: 'Nouveau',
      'in-progress': 'En cours',
      waiting: 'En attente du client',
      resolved: 'Résolu',
      dismissed: 'Classé sans suite',
    },
  },
  billing: {
    name: 'Facturation',
    words: ['facture', 'remboursement', 'paiement', 'prélèvement', 'avoir'],
    stages: { new: 'Nouveau', review: 'Vérification', approval: 'Approbation', settled: 'Réglé', rejected: 'Refusé' },
  },
  internal: { name: 'Opérations internes', stages: { backlog: 'À faire', doing: 'En cours', done: 'Terminé' } },
  general: { name: 'Général', stages: { new: 'Nouveau', 'in-progress': 'En cours', done: 'Terminé' } },
}

interface FrenchTemplate {
  readonly name: string
  readonly title: string
  readonly checklist?: string[]
}

export const frenchTemplates: Readonly<Record<string, FrenchTemplate>> = {
  'qualify-lead': {
    name: 'Qualifier une piste',
    title: 'Qualifier {{company}}',
    checklist: ['Y a-t-il un besoin\u202F?', 'Qui décide\u202F?', 'Pour quand\u202F?', 'Avec quel budget\u202F?'],
  },
  'call-back': { name: 'Rappeler', title: 'Rappeler {{name}}' },
  'answer-ticket': { name: 'Répondre à un ticket', title: 'Répondre\u00A0: {{subject}}' },
  refund: {
    name: 'Rembourser un paiement',
    title: 'Rembourser la facture {{invoice}}',
    checklist: ['Le paiement est arrivé', 'Personne ne l’a déjà remboursé', 'Quelqu’un l’a approuvé'],
  },
  'welcome-colleague': {
    name: 'Accueillir une personne',
    title: 'Accueillir {{name}}',
    checklist: ['L’inviter', 'Lui donner ses rôles', 'La présenter à l’équipe'],
  },
  'general-request': { name: 'Demande générale', title: '{{subject}}' },
}
