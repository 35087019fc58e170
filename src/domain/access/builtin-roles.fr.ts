/** What the built-in roles are called in an organization that speaks French, by key. */
export const frenchRoles: Readonly<Record<string, { readonly name: string; readonly description: string }>> = {
  CLIENT: { name: 'Client', description: 'Voit l’organisation elle-même' },
  VIEWER: { name: 'Lecteur', description: 'Lit tout, sauf les identifiants d’accès' },
  USER: { name: 'Utilisateur', description: 'Lit ce que lisent les lecteurs' },
  MEMBER: { name: 'Membre', description: 'Travaille avec tout, sauf les affaires propres de l’organisation' },
  AUTHOR: { name: 'Auteur', description: 'Rédige les contenus' },
  EDITOR: { name: 'Éditeur', description: 'Décide des contenus' },
  OPERATOR: { name: 'Opérateur', description: 'Fait tourner ce qui tourne tout seul' },
  PM: { name: 'Chef de projet', description: 'Approuve et fait le ménage' },
  ADMIN: { name: 'Administrateur', description: 'Gère les personnes, les rôles et les clés' },
  OWNER: { name: 'Propriétaire', description: 'Tout, ainsi que l’organisation elle-même' },
}
