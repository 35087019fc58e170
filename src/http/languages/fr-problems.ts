import type { ErrorDetails } from '../../kernel/error.ts'
import { fr } from './typeset.ts'

type Words = Readonly<Record<string, string>>
const among = (words: Words, value: unknown) => words[String(value)] ?? String(value)

const passwordReasons: Words = {
  'it has fewer than 10 characters': 'il compte moins de 10 caractères',
  'it has more than 256 characters': 'il compte plus de 256 caractères',
  'it is among those that are tried first': 'il fait partie de ceux que l’on essaie en premier',
}
const organizationStates: Words = { SUSPENDED: 'suspendue', CLOSED: 'fermée', DELETED: 'supprimée' }
const invitationStates: Words = {
  ACCEPTED: 'acceptée',
  REJECTED: 'refusée',
  CANCELED: 'annulée',
  EXPIRED: 'expirée',
  PENDING: 'en attente',
}
const keyStates: Words = { revoked: 'a été révoquée', expired: 'a expiré', rotated: 'a déjà été renouvelée' }
const slotReasons: Words = {
  blocked: 'est bloqué',
  past: 'a déjà commencé',
  full: 'est complet',
  same: 'est celui qui est déjà réservé',
}
const things: Words = {
  organization: 'organisation',
  'API key': 'clé d’API',
  invitation: 'invitation',
  role: 'rôle',
  member: 'membre',
  event: 'événement',
  'value with a history': 'valeur dotée d’un historique',
}

/** What each problem says in French, by its code. A test holds it together with the errors and what they know. */
export const frenchProblems: Readonly<Record<string, (details: ErrorDetails) => string>> = {
  internal: () => fr`Une erreur est survenue de notre côté. L’identifiant de la requête permet de la retrouver dans le journal.`,

  'http.invalid_request': () => fr`La requête n’est pas celle que cette route attend. « errors » indique chaque endroit concerné.`,
  'http.unreadable_request': () => fr`La requête est illisible : vérifiez l’adresse, la longueur annoncée et le JSON du corps.`,
  'http.not_mounted': () =>
    fr`Cette route n’est pas placée sous Daybook. Enregistrez daybookRequests dans le contexte auquel la route est ajoutée, et attendez qu’il soit prêt.`,
  'http.unauthenticated': () =>
    fr`Il faut être connecté ou présenter une clé d’API. Utilisez POST /auth/sign-in ou envoyez « Authorization: Bearer dbk_… ».`,
  'http.credential_refused': () =>
    fr`La session ou la clé présentée est inconnue, expirée ou révoquée. Reconnectez-vous ou utilisez une autre clé.`,
  'http.sign_in_refused': () =>
    fr`L’adresse e-mail et le mot de passe n’ouvrent aucun compte. Après plusieurs échecs, un compte reste fermé quelque temps.`,
  'http.person_required': () => fr`Cette action s’adresse à une personne connectée, ce qu’une clé d’API n’est pas.`,
  'http.cross_site': () =>
    fr`La requête vient d’un autre site ou ne dit pas d’où elle vient. Envoyez-la depuis la même origine ou, depuis un programme, en application/json.`,
  'http.password_wrong': () => fr`Le mot de passe actuel n’est pas le bon ; il n’a donc pas été changé.`,
  'http.not_found': ({ thing }) =>
    thing === undefined ? fr`Il n’existe rien de tel ici.` : fr`Il n’existe rien de tel ici : ${among(things, thing)}.`,
  'http.no_active_organization': () =>
    fr`Cette session n’a pas d’organisation active. Choisissez-en une avec POST /me/organization ou nommez-la dans le chemin.`,
  'http.route_not_found': () => fr`Aucune route ne répond à ce chemin.`,
  'http.method_not_allowed': ({ allowed }) => fr`Ce chemin répond à ${allowed}.`,
  'http.conflict': () => fr`Il en existe déjà un semblable.`,
  'http.version_conflict': () => fr`Quelqu’un d’autre l’a modifié entre-temps. Relisez-le, puis recommencez votre modification.`,
  'http.reference_refused': () => fr`Un élément désigné n’existe pas ici, ou quelque chose s’y rapporte encore.`,
  'http.reference_unknown': ({ thing }) => fr`La requête désigne un élément qui n’existe pas ici : ${among(things, thing)}.`,
  'http.token_refused': () => fr`Le jeton est inconnu, expiré ou déjà utilisé. Demandez-en un nouveau.`,
  'http.cursor_refused': () => fr`Ce curseur est abîmé ou appartient à une autre liste. Recommencez sans curseur.`,
  'http.condition_failed': () => fr`Quelqu’un d’autre l’a modifié entre-temps. Relisez-le, puis recommencez votre modification.`,
  'http.condition_required': () =>
    fr`Dites quel état vous avez vu : envoyez l’« ETag » de votre dernière réponse comme « If-Match », ou « * » si peu importe.`,
  'http.body_too_large': () => fr`Le corps dépasse la taille qui est lue.`,
  'http.address_too_long': () => fr`Une partie du chemin est trop longue.`,
  'http.headers_too_large': () => fr`Les en-têtes dépassent la taille qui est lue.`,
  'http.request_late': () => fr`La requête a mis trop de temps à arriver.`,
  'http.media_type': () => fr`Les corps ne sont lus qu’en application/json.`,
  'http.value_refused': () => fr`Une valeur ne peut pas être enregistrée ou enfreint une règle de la base de données.`,
  'http.too_many_requests': ({ seconds }) =>
    fr`Trop de requêtes. Réessayez dans ${seconds} s ; RateLimit-Policy indique ce qui est compté.`,
  'http.too_many_listeners': ({ limit }) =>
    fr`${limit} connexions suivent déjà les événements de cette organisation. Fermez-en une dont personne n’a besoin, ou réessayez plus tard.`,
  'http.tenant_busy': () =>
    fr`Il y a autant d’opérations de cette organisation, ou de ce genre, en cours que possible à la fois, et aucune ne s’est terminée à temps. Rien n’a été modifié ; réessayez dans 5 s.`,
  'http.busy': () =>
    fr`Le service est trop sollicité ou sa base de données indisponible pour le moment. Rien n’a été modifié ; réessayez dans un instant.`,
  'http.timeout': () => fr`L’opération a duré trop longtemps et a été interrompue. Rien n’a été modifié.`,
  'http.abandoned': () => fr`L’envoi a été interrompu avant la fin. Rien n’en a été conservé ; recommencez.`,

  'state.transition_refused': ({ from, to, allowed }) =>
    Array.isArray(allowed) && allowed.length === 0
      ? fr`De l’état ${from}, on ne passe pas à ${to} : cet état est définitif.`
      : fr`De l’état ${from}, on ne passe pas à ${to}. États possibles : ${allowed}.`,
  'secret.locked': ({ entity, id }) =>
    fr`Le secret de ${entity} ${id} est scellé par une clé maîtresse qui n’est plus fournie. Ajoutez-la à DAYBOOK_MASTER_KEY.`,

  'identity.password_refused': ({ because }) =>
    fr`Le mot de passe a été refusé : ${among(passwordReasons, because)}. Choisissez-en un autre ; une phrase se retient mieux qu’un mot.`,
  'identity.cleanup_scope': () =>
    fr`Les sessions et les jetons expirés n’appartiennent à aucune organisation : seul un opérateur les trouve tous. Ouvrez un contexte d’opérateur.`,
  'identity.email_invalid': () => fr`Ce n’est pas une adresse e-mail. Il y faut un nom, un @ et un domaine, en 254 caractères au plus.`,

  'organization.slug_invalid': () =>
    fr`Un identifiant d’organisation compte de 1 à 63 lettres minuscules et chiffres, en groupes séparés par un seul tiret.`,
  'organization.slug_taken': ({ slug }) =>
    fr`Une autre organisation porte l’identifiant « ${slug} ». Choisissez-en un autre, ou n’en donnez pas : il sera tiré du nom.`,
  'organization.not_served': ({ status }) =>
    fr`L’organisation est ${among(organizationStates, status)} : cette action est impossible. Un opérateur peut la rouvrir.`,

  'access.denied': ({ permission }) =>
    fr`Cette action demande l’autorisation ${permission}. Adressez-vous à une personne qui gère les rôles de l’organisation.`,
  'access.grant_exceeds_own': ({ missing }) =>
    fr`Nul ne peut accorder ce qu’il n’a pas lui-même le droit de faire, ni pour plus longtemps : ${missing}.`,
  'access.builtin_role_immutable': ({ key }) =>
    fr`Le rôle ${key} est fourni d’origine et reste tel quel. Créez un rôle à vous qui en hérite.`,
  'access.permission_unknown': ({ keys }) =>
    fr`Il n’existe pas d’autorisation ${keys}. Le catalogue les nomme sous la forme ressource:action.`,
  'access.role_cycle': ({ role, parent }) => fr`Le rôle ${role} ne peut pas hériter de ${parent}, qui hérite déjà de lui.`,
  'access.role_in_use': ({ role, users }) =>
    fr`Le rôle ${role} est détenu, hérité ou proposé à ${users} endroits. Donnez-y d’abord un autre rôle.`,
  'access.role_key_taken': ({ key }) => fr`Il existe déjà un rôle ${key}. Choisissez une autre clé.`,
  'access.last_owner': () => fr`Une organisation garde au moins un propriétaire actif. Nommez d’abord un autre propriétaire.`,
  'access.membership_left': () => fr`Qui a quitté une organisation n’y revient que de lui-même. Invitez-le de nouveau.`,
  'access.already_member': () => fr`Cette personne est déjà membre de l’organisation.`,
  'access.email_taken': () => fr`Un compte existe avec cette adresse. Connectez-vous ou réinitialisez son mot de passe.`,
  'access.invitation_invalid': () =>
    fr`Cette invitation n’est pas ou n’est plus valable. Demandez-en une nouvelle à la personne qui l’a envoyée.`,
  'access.invitation_state': ({ status }) => fr`Cette invitation est ${among(invitationStates, status)} : on ne peut plus rien y changer.`,
  'access.api_key_state': ({ state }) =>
    Object.hasOwn(keyStates, String(state))
      ? fr`Cette clé d’API ${among(keyStates, state)}. Créez-en une nouvelle.`
      : fr`Cette clé d’API ne peut pas servir ainsi (${state}). Créez-en une nouvelle.`,

  'billing.quota_exceeded': ({ metric, limit, resetAt }) =>
    fr`Le quota de ${limit} ${metric} est épuisé jusqu’au ${resetAt}. Attendez ce moment ou choisissez une formule plus large.`,
  'billing.quantity_refused': ({ metric, quantity }) =>
    fr`Une utilisation de ${metric} ne peut pas compter ${quantity} fois. Donnez un nombre entier d’au moins 1.`,
  'billing.signature_refused': () => fr`L’événement n’est pas digne de foi. Vérifiez le secret de signature et l’horloge de l’expéditeur.`,

  'billing.organization_unknown': () =>
    fr`L’événement ne nomme aucune organisation connue ici. Inscrivez son identifiant dans les métadonnées de l’abonnement, sous « organization ».`,

  'work.stage_elsewhere': ({ stage }) =>
    fr`L’étape ${stage} appartient à un autre pipeline que la tâche. Déplacez d’abord la tâche vers ce pipeline.`,
  'work.task_closed': ({ status }) => fr`La tâche est ${status} et reste où elle est. Rouvrez-la d’abord.`,
  'work.pipeline_invalid': ({ problems }) => fr`Le pipeline ne peut pas être créé : ${problems}.`,
  'work.template_invalid': ({ problems }) => fr`La définition du modèle présente des défauts : ${problems}.`,
  'work.template_data': ({ template, problems }) => fr`Le modèle ${template} ne peut pas être rempli ainsi : ${problems}.`,
  'work.template_retired': ({ template, revision }) =>
    fr`La révision ${revision} du modèle ${template} est retirée. Utilisez celle qui est active.`,
  'work.nowhere_to_route': () =>
    fr`Aucun pipeline actif ne prend cette demande. Donnez des règles d’aiguillage à l’un d’eux, ou créez-en un actif de type GENERIC.`,
  'work.assignee_unknown': ({ user }) =>
    fr`L’utilisateur ${user} n’est pas un membre actif de l’organisation : aucun travail ne peut lui être confié.`,
  'work.approval_state': ({ from, to }) => fr`L’approbation est déjà ${from} et ne peut pas devenir ${to}.`,
  'work.approval_pending': ({ waiting }) => fr`Approbations de cette tâche à régler avant qu’elle puisse être achevée : ${waiting}.`,

  'agents.provider_address': ({ provider }) =>
    fr`L’adresse d’un fournisseur ${provider} doit être une URL https ; seul un fournisseur LOCAL peut être en http.`,
  'agents.provider_secret_missing': ({ provider }) => fr`Le fournisseur ${provider} n’a pas de clé. Donnez-lui-en une d’abord.`,
  'agents.token_limit': ({ provider, limit }) =>
    fr`Les ${limit} jetons mensuels du fournisseur ${provider} n’y suffisent pas. Relevez la limite ou attendez le mois prochain.`,
  'agents.inactive': ({ agent }) =>
    fr`L’agent ${agent} n’est pas actif : il ne décide de rien et rien n’est fait pour lui. Activez-le d’abord.`,
  'agents.impersonated': ({ agent }) => fr`Seul l’agent ${agent} peut décider en son nom. Ouvrez la portée avec agentActor(agent).`,
  'agents.rate_limit': ({ agent, limit }) =>
    fr`L’agent ${agent} a décidé ${limit} fois en une heure, autant qu’il le peut. Attendez ou relevez sa limite.`,
  'agents.tool_not_allowed': ({ agent, tools }) =>
    fr`L’agent ${agent} n’a pas le droit d’utiliser ${tools}. Ajoutez-les à ses outils s’il le doit.`,
  'agents.tool_unknown': ({ tool }) =>
    fr`Il n’y a pas d’outil ${tool} ici : la décision ne peut pas être exécutée. Fournissez-en un sous ce nom.`,
  'agents.approval_needed': ({ decision }) =>
    fr`La décision ${decision} attend une approbation : approuvez-la, ce qui l’exécute, ou rejetez-la.`,
  'agents.no_approval_needed': ({ decision }) =>
    fr`La décision ${decision} n’a besoin de l’accord de personne. Exécutez-la ou prenez-en une autre à sa place.`,

  'outgoing.address_refused': () => fr`Cette adresse ne peut pas être appelée. Donnez une adresse https publique.`,
  'outgoing.answer_late': ({ host, timeoutMs }) => fr`${host} n’a pas répondu en ${timeoutMs} ms.`,

  'automation.invalid': ({ problems }) => fr`L’automatisation ne peut pas être créée : ${problems}.`,
  'automation.inactive': ({ automation }) => fr`L’automatisation ${automation} n’est pas active, rien ne la démarre. Activez-la d’abord.`,
  'automation.webhook_refused': () => fr`L’appel n’est pas digne de foi. Vérifiez le secret de signature et l’horloge de l’expéditeur.`,
  'automation.action_unknown': ({ action }) => fr`Il n’y a pas d’action ${action} ici. Déclarez-en une sous ce nom.`,
  'automation.answer_refused': ({ status }) => fr`Le workflow a répondu ${status}.`,

  'documents.invalid': ({ problems }) => fr`Cela ne peut pas être conservé comme document : ${problems}.`,
  'documents.too_large': ({ maxBytes }) => fr`Le fichier dépasse les ${maxBytes} octets autorisés. Envoyez-en un plus petit.`,
  'documents.upload_late': () => fr`L’envoi a duré si longtemps que son fichier a été retiré entre-temps. Renvoyez-le.`,
  'documents.storage_key': () => fr`Le stockage n’a pas de place pour cette clé : elle ne vient pas de newStorageKey.`,
  'documents.media_type': ({ accepted }) =>
    fr`Les fichiers de ce type ne sont pas acceptés. Dites dans Content-Type ce que c’est, parmi : ${accepted}.`,
  'documents.content_mismatch': ({ mimeType }) =>
    fr`Le contenu du fichier n’est pas celui d’un fichier de type ${mimeType}. Envoyez-le sous le type qu’il a.`,
  'documents.file_missing': () => fr`Le fichier n’est pas dans le dépôt. Vérifiez que c’est bien celui où il a été déposé.`,
  'documents.unread': ({ document, status }) =>
    fr`Le document ${document} est ${status} : son texte n’est pas encore connu. Indexez-le quand il sera COMPLETED.`,
  'documents.chunking_invalid': ({ size, overlap }) =>
    fr`Un texte ne se découpe pas en morceaux de ${size} qui en partagent ${overlap}. Donnez une taille entière d’au moins 2 et un recouvrement inférieur.`,
  'documents.embedding_refused': ({ model }) =>
    fr`Le vecteur n’est pas un plongement de ${model}. Envoyez ce que le modèle répond, nombre par nombre.`,
  'documents.embedding_failed': ({ model }) =>
    fr`La réponse de ${model} n’est pas un plongement. Vérifiez le modèle et la façon dont il est appelé.`,
  'documents.dimension_mismatch': ({ model }) =>
    fr`Le vecteur n’a pas la longueur des autres vecteurs de ${model} : rien ne pourrait être comparé. Donnez un autre nom à un modèle d’une autre longueur, ou retirez d’abord ses vecteurs.`,
  'documents.citation_refused': ({ document, chunks }) =>
    fr`Le document ${document} ne dit pas ce qui est cité du morceau ${chunks}. Citez mot à mot ce qui s’y trouve.`,
  'documents.citation_failed': ({ document, chunks }) =>
    fr`Le modèle cite du morceau ${chunks} ce que le document ${document} ne dit pas : sa réponse n’est pas conservée. Reposez la question, ou vérifiez le modèle et la façon dont il est appelé.`,
  'documents.call_inside_transaction': ({ what }) =>
    fr`${what} attend une réponse de l’extérieur et garderait sa transaction ouverte. Passez l’EntityManager de daybook.scope.`,

  'system.setting_invalid': ({ key, problems }) => fr`Le réglage ${key} ne peut pas prendre cette valeur : ${problems}.`,
  'idempotency.in_flight': () => fr`Une requête portant cette clé est en cours de traitement. Redemandez quand elle sera terminée.`,
  'idempotency.mismatch': () =>
    fr`Cette clé a servi à une autre requête. Prenez une nouvelle clé pour chaque requête qui n’est pas une répétition.`,
  'webhook.event_pattern': ({ patterns }) => fr`Rien ne porte un nom comme ${patterns}. Écrivez task.created, task.* ou *.`,
  'outbox.topic_invalid': ({ topic }) =>
    fr`Aucun sujet ne peut s’appeler « ${topic} ». Prenez des lettres, des chiffres, des points, des tirets et des tirets bas, 249 au plus.`,
  'outbox.topic_unfollowed': ({ topic, entity }) =>
    fr`Le sujet ${topic} ne peut pas suivre ${entity} : le journal n’en retient rien. Nommez une entité auditée.`,
  'outbox.payload_refused': ({ entity }) =>
    fr`Un message ne peut pas contenir un objet ${entity} entier : il emporterait ce que seule la table doit savoir. Donnez les champs voulus.`,

  'scheduling.overlap': ({ organizer }) =>
    fr`L’utilisateur ${organizer} a un autre événement à ce moment. Choisissez un moment libre ; suggestSlots en trouve.`,
  'scheduling.period_invalid': () => fr`La fin précéderait le début. Donnez deux moments, la fin après le début.`,
  'scheduling.time_zone_unknown': ({ timeZone }) =>
    fr`« ${timeZone} » n’est pas un fuseau horaire. Donnez son nom IANA, par exemple Europe/Paris.`,
  'scheduling.person_unknown': ({ user }) =>
    fr`L’utilisateur ${user} n’est pas un membre actif de l’organisation et n’a pas d’agenda ici. Invitez-le d’abord.`,
  'scheduling.search_invalid': ({ problem }) => fr`Aucun moment libre ne peut être cherché ainsi : ${problem}.`,
  'scheduling.event_closed': ({ status }) => fr`L’événement est ${status} : personne n’en reçoit de rappel. Planifiez-en un autre.`,
  'scheduling.proposal_unknown': ({ index, status, proposals }) =>
    fr`Il n’y a pas de proposition ${index} à accepter : la tâche est ${status} et en compte ${proposals}, à partir de 0.`,
  'scheduling.task_invalid': ({ problems }) => fr`La tâche ne peut pas être faite : ${problems}.`,
  'scheduling.connection_inactive': ({ status }) =>
    fr`La connexion à l’agenda est ${status} et n’ouvre rien. Demandez à son propriétaire de reconnecter l’agenda.`,
  'scheduling.connection_foreign': () =>
    fr`Seule la personne à qui appartient l’agenda peut le connecter et utiliser son jeton. Agissez en son nom.`,

  'quality.project_inactive': ({ slug, status }) =>
    fr`Le projet ${slug} est ${status} : rien de nouveau n’y est enregistré. Réactivez-le d’abord.`,
  'quality.signature_elsewhere': ({ signature, project }) =>
    fr`L’erreur ${signature} a été vue dans un autre projet que ${project}, dont la chaîne ne peut pas attester sa correction. Attestez-la là-bas.`,

  'commerce.order_invalid': ({ problems }) => fr`La commande ne peut pas être passée : ${problems}.`,
  'commerce.item_unavailable': ({ items }) =>
    fr`Ces articles ne peuvent pas être commandés pour le moment : ${items}. Prenez-en qui sont AVAILABLE.`,
  'commerce.subscription_token': () =>
    fr`Ce lien est inconnu, déjà utilisé ou trop ancien. Abonnez-vous de nouveau pour en recevoir un autre.`,
  'commerce.issue_not_ready': ({ problems }) => fr`La lettre d’information ne peut pas être planifiée : ${problems}.`,
  'commerce.issue_not_due': ({ scheduledAt }) => fr`La lettre d’information part le ${scheduledAt}. Attendez ou planifiez-la de nouveau.`,
  'commerce.slot_unavailable': ({ slot, reason }) => fr`Le créneau ${slot} ${among(slotReasons, reason)}. Choisissez-en un autre.`,
  'commerce.slot_in_use': ({ slot, booked }) =>
    fr`Réservations du créneau ${slot} : ${booked}. Annulez-les ou déplacez-les avant de le bloquer.`,

  'content.entry_incomplete': ({ missing }) => fr`Le contenu ne peut pas être publié sans ${missing}. Rédigez-le d’abord.`,
  'content.address_fixed': ({ slug }) => fr`${slug} est publié et garde donc son adresse. Dépubliez-le d’abord.`,
  'content.locale_invalid': ({ locale }) => fr`« ${locale} » n’est pas un code de langue. Écrivez-le comme fr ou fr-CA.`,

  'sales.profile_invalid': ({ problems }) => fr`Le profil ne peut pas être utilisé : ${problems}.`,
  'sales.profile_missing': ({ prospect }) =>
    fr`Le prospect ${prospect} n’a pas de profil auquel se mesurer. Donnez-lui-en un ou nommez-en un pour cette note.`,
  'sales.email_taken': () => fr`Un autre prospect a cette adresse. Travaillez avec celui-là ou changez d’abord son adresse.`,
  'sales.prospect_unknown': ({ prospect }) =>
    fr`Il n’y a pas de prospect ${prospect} ici, ou il est supprimé. Vérifiez l’identifiant ou restaurez-le d’abord.`,
  'sales.sequence_invalid': ({ problems }) => fr`La séquence ne peut pas être activée : ${problems}.`,
  'sales.campaign_running': ({ campaign }) =>
    fr`La campagne ${campaign} est en cours, donc sa séquence reste : les inscrits continueraient au milieu d’une autre. Mettez-la d’abord en pause.`,
  'sales.sequence_locked': ({ status }) =>
    status === 'ACTIVE'
      ? fr`La séquence est ${status} : ses étapes restent telles quelles. Mettez-la d’abord en pause.`
      : fr`La séquence est ${status} : ses étapes restent telles quelles. Créez-en une autre.`,
  'sales.sequence_inactive': ({ status }) => fr`La séquence de la campagne est ${status} et n’enverrait rien. Activez d’abord la séquence.`,
  'sales.placeholder_unknown': ({ problems }) => fr`L’étape ne peut pas être remplie : ${problems}.`,
  'sales.campaign_undated': () =>
    fr`Une campagne sans date de début ne peut pas être planifiée. Donnez-lui-en une ou lancez-la maintenant.`,
  'sales.campaign_closed': ({ campaign }) => fr`La campagne ${campaign} est DONE : plus personne n’y est inscrit. Créez-en une autre.`,

  'helpers.pagination_invalid': ({ problems }) => fr`Aucune page ne peut être lue ainsi : ${problems}.`,
  'helpers.not_soft_deletable': ({ entity }) =>
    fr`${entity} n’a pas de deletedAt : supprimer y est définitif, avec em.remove. Déclarez l’entité avec « softDelete: true » pour garder ce qui est supprimé.`,

  'history.not_audited': ({ entity }) =>
    fr`Le journal ne sait rien de ${entity} : l’entité est déclarée avec « audit: false » ou n’appartient pas à ce modèle.`,
  'history.event_unknown': ({ id }) =>
    fr`Il n’y a pas d’événement ${id} dans ce journal. Il appartient peut-être à une autre organisation, ou sa partie du journal a été archivée.`,
  'history.moment_invalid': ({ given }) =>
    fr`« ${given} » n’est pas un moment. Donnez une date, un instant ISO 8601 comme 2026-11-01T00:00:00Z ou un événement.`,
  'history.nothing_then': ({ instant }) => fr`Le journal commence après ${instant} : rien n’est connu de ce qui précède.`,
  'history.question_invalid': ({ name, expected, given }) =>
    fr`Le journal ne peut pas être interrogé avec ce ${name} (attendu : ${expected}) : « ${given} ».`,
  'history.cursor_invalid': () => fr`Le curseur est abîmé ou appartient à un autre filtre. Recommencez sans curseur.`,
  'history.read_only': () =>
    fr`Ce qui est lu à un moment du passé ne peut être que lu. Faites la modification par l’EntityManager de la portée, ou utilisez revert ou restore.`,
  'history.schema_named': ({ table }) =>
    fr`La table ${table} est nommée avec son schéma, où la vue du passé n’atteint pas. Nommez-la sans son schéma.`,
  'history.no_kysely': () =>
    fr`Les instructions de Kysely ne passent pas par la vue du passé. Lisez avec find, findOne, count, QueryBuilder ou em.execute.`,
  'history.revert_conflict': ({ event, properties, references }) => {
    const changed = String(properties) && fr`${properties} ont changé depuis`
    const pointing = String(references) && fr`${references} disparaîtraient avec, ou ne pointeraient plus sur rien`
    const what = changed && pointing ? fr`${changed} ; ${pointing}` : changed || pointing
    return fr`L’événement ${event} ne peut pas être annulé sans perdre la suite : ${what}. Annulez d’abord cela, ou dites « force: true ».`
  },
  'history.not_revertible': ({ event }) => fr`L’événement ${event} ne peut pas être annulé.`,
  'history.not_restorable': ({ entity, id }) => fr`${entity} ${id} ne peut pas être restauré.`,
  'history.value_erased': ({ properties }) => fr`C’est impossible : ${properties} parlaient d’une personne qui a été effacée du journal.`,

  'audit.value_unknown': ({ entity }) =>
    fr`Un hook a laissé une valeur de ${entity} à la base de données (raw), trop tard pour que le journal l’apprenne. Laissez-la à la base avant le flush, ou donnez la valeur elle-même.`,
  'audit.keyring_missing': ({ entity }) =>
    fr`${entity} parle de personnes ou contient un secret qui se garde scellé, mais il n’y a pas de clé maîtresse. Donnez à DAYBOOK_MASTER_KEY le résultat de « openssl rand -base64 32 ».`,
  'audit.person_key_locked': ({ log, person }) =>
    fr`Ce que le journal ${log} dit de la personne ${person} est scellé par une clé maîtresse absente de DAYBOOK_MASTER_KEY, ou a été altéré. Ajoutez l’ancienne clé derrière la nouvelle, séparées par une virgule ; ce qui a été altéré ne revient que d’une sauvegarde (audit_person_key).`,
  'audit.decision_unknown': ({ id }) => fr`Il n’y a pas de décision ${id} dans ce journal.`,
  'audit.decision_settled': ({ id, how }) => fr`La décision ${id} n’attend pas d’approbation (${how}). Prenez une décision à sa place.`,
  'audit.own_decision': ({ id }) =>
    fr`La décision ${id} a été proposée par le même acteur. Quelqu’un d’autre doit l’approuver ou la rejeter.`,
  'audit.subject_unknown': ({ entity }) =>
    fr`Le journal ne sait rien de ${entity} : aucune décision ne peut y porter. Décidez dans la portée d’une organisation, au sujet d’une entité suivie.`,

  'ledger.event_unknown': ({ id }) => fr`Il n’y a pas d’événement ${id} dans ce journal. Vérifiez l’identifiant et l’organisation.`,
  'ledger.not_sealed_yet': ({ id }) =>
    fr`L’événement ${id} n’est pas encore scellé : rien ne le prouve. La tâche seal le prend quelques secondes après sa validation ; demandez de nouveau.`,
  'ledger.size_unknown': ({ size }) =>
    fr`Aucun point de contrôle de ce journal n’a la taille ${size}, ou l’on irait vers une taille plus petite. Donnez des tailles de points de contrôle, la plus petite d’abord.`,
  'ledger.note_malformed': ({ expected }) =>
    fr`Ce n’est pas un point de contrôle signé (attendu : ${expected}). Donnez-le tel qu’il a été publié, à l’octet près.`,
  'ledger.broken': ({ log, what }) =>
    fr`Le registre du journal ${log} ne concorde pas : ${what}. Lancez « npm run audit -- verify --tenant ${log} » avant de sceller quoi que ce soit.`,
  'ledger.key_missing': () =>
    fr`Il n’y a pas de clé pour signer les points de contrôle. Donnez à DAYBOOK_MASTER_KEY le résultat de « openssl rand -base64 32 ».`,
  'ledger.origin_invalid': ({ installation }) =>
    fr`« ${installation} » ne peut pas nommer une installation dans ses points de contrôle : donnez un nom sans espace ni « + », comme celui d’un hôte.`,

  'scope.invalid': ({ property }) => fr`Une portée demande une valeur correcte pour « ${property} ».`,
  'scope.immutable': () =>
    fr`Un EntityManager garde sa portée à vie, car il connaît les lignes de cette organisation. Prenez-en un autre avec daybook.scope({ … }).`,
  'scope.needs_transaction': ({ call }) =>
    fr`Hors d’une transaction, ${call} passe par une connexion qui ne connaît pas l’organisation et ne verrait rien. Appelez-le dans daybook.transact(…) ou em.transactional(…).`,
  'scope.operator_unavailable': ({ bound }) =>
    bound
      ? fr`La portée d’un opérateur s’étend à toutes les organisations, et les politiques lient le rôle ${bound} d’OPERATOR_URL : il n’en verrait aucune. Connectez-vous en tant que daybook_operator.`
      : fr`La portée d’un opérateur demande un rôle de base de données à elle. Donnez à OPERATOR_URL une connexion de daybook_operator.`,

  'tenancy.context_missing': ({ subject, operation }) =>
    fr`${subject} appartient à une organisation, et cette opération (${operation}) n’en avait pas. Passez par daybook.scope ou daybook.transact.`,
  'tenancy.wrong_region': ({ region, here }) =>
    fr`Les données de cette organisation sont conservées dans la région ${region}, et ce serveur dessert ${here}. Adressez-vous à l’hôte de sa région.`,
  'tenancy.row_refused': ({ table }) =>
    fr`Une ligne de la table ${table} a été refusée, car elle n’est pas celle de la portée : mauvaise organisation, mauvaise personne ou aucune portée.`,
  'tenancy.identity_immutable': ({ table, columns }) =>
    fr`Dans une ligne de ${table}, ceci ne change jamais : ${columns}. Créez plutôt une nouvelle ligne.`,

  'transaction.abandoned': () => fr`La demande a été abandonnée avant d’aboutir et a été interrompue. Rien n’a été écrit ; recommencez.`,
  'transaction.over': () =>
    'La transaction dans laquelle ceci a commencé s’est terminée entre-temps. Attendez ce qui se fait dans une transaction avant sa fin.',
  'transaction.rolled_back': () =>
    fr`La transaction a été annulée au moment d’être validée, car une de ses instructions avait échoué sans que cet échec soit transmis. Rien n’a été écrit.`,
  'transaction.outcome_unknown': () =>
    fr`La connexion s’est perdue pendant la validation : la modification a peut-être été faite, peut-être pas. Vérifiez avant de recommencer.`,

  'model.entity_not_scoped': ({ entity }) =>
    fr`L’entité ${entity} ne dit ni qu’elle appartient à une organisation ni qu’elle est globale. Déclarez-la avec tenantEntity({ … }) ou globalEntity({ … }).`,
  'model.unique_across_tenants': ({ entity, properties }) =>
    fr`La contrainte d’unicité (${properties}) de ${entity} ne commence pas par tenantId et révélerait à une organisation ce qu’une autre possède. Déclarez-la dans « uniques » de tenantEntity.`,
  'model.personal_type': ({ entity, column, type }) =>
    fr`${entity}.${column} est déclaré personnel et de type ${type}. Une valeur scellée est du texte : seules les colonnes de texte et de JSON peuvent être personnelles.`,
  'model.property_not_stored': ({ entity, property }) =>
    fr`${entity}.${property} est nommé dans « audit », mais aucune colonne de sa table ne le contient. Nommez une propriété enregistrée.`,
  'model.version_type': ({ entity, column, type }) =>
    fr`${entity}.${column} est sa version et de type ${type}. Le journal compte les versions : déclarez-la avec p.integer().version().`,
  'model.owner_type': ({ entity, column, type }) =>
    fr`${entity}.${column} dit de qui est le journal ou quelle personne est concernée, et de type ${type}. Tous deux se désignent par un identifiant, donc un uuid.`,
  'model.hidden_past': ({ entity, policy }) =>
    fr`La restriction « ${policy} » masque des lignes de ${entity}, dont le journal raconterait le passé à quiconque peut le lire. Dites à qui est chaque ligne avec privateTo, restreignez les écritures (« command »), ou n’enregistrez pas l’entité (audit: false).`,
  'model.policy_widens': ({ entity, policies }) =>
    fr`${entity} a plusieurs règles permissives (${policies}), que PostgreSQL combine par OU, ce qui ouvre la frontière. Restreignez avec « restrictions » de tenantEntity.`,

  'configuration.invalid': ({ problems }) => fr`La configuration présente des défauts : ${problems}.`,
  'database.unreachable': () => fr`La base de données ne répond pas.`,
  'database.role_missing': ({ role, statements }) =>
    fr`Le rôle ${role} n’a pas le droit de créer ce qui manque. Migrez en tant qu’administrateur du serveur (DIRECT_URL), ou demandez-lui d’exécuter : ${statements}.`,
  'database.isolation_broken': ({ problems }) =>
    fr`Daybook refuse de servir, car les organisations ne seraient pas séparées : ${problems}.`,
  'database.not_migrated': ({ lacking }) =>
    fr`Il manque à la base de données ${lacking} : elle n’a jamais été migrée, ou pas depuis cette version. Lancez npx mikro-orm migration:up avec DIRECT_URL en tant que propriétaire, ou ouvrez-la avec migrate: true.`,
  'database.embedded_busy': ({ waitedMs }) =>
    fr`La base de données embarquée sert une transaction à la fois, et celle qui est ouverte n’a rien fait depuis ${waitedMs} ms. Transmettez l’EntityManager de la transaction, ou utilisez un serveur PostgreSQL (DATABASE_URL).`,
  'database.embedded_in_use': ({ directory, pid }) =>
    fr`La base de données embarquée de ${directory} est ouverte par le processus ${pid}, et un seul processus peut l’ouvrir. Arrêtez-le, choisissez un autre dossier (DAYBOOK_DATA_DIR) ou utilisez un serveur PostgreSQL (DATABASE_URL).`,
  'migration.running': ({ holder, waitedMs }) =>
    fr`Une autre migration tient le verrou : ${holder}. Attendu ${waitedMs} ms. Laissez-la finir, puis relancez la commande.`,
  'migration.unknown': ({ migration, direction }) =>
    direction === 'up'
      ? fr`Il n’y a pas de migration ${migration}. Rien n’a changé. Donnez son nom entier.`
      : fr`La base de données n’a pas de migration ${migration}. Rien n’a changé. Donnez son nom entier.`,
  'seeding.refused': ({ database }) =>
    fr`Les données de démonstration n’ont pas été écrites : c’est un environnement de production, et personne n’a saisi le nom de la base. Lancez la commande dans un terminal, ou définissez DAYBOOK_SEED_CONFIRM=${database}.`,
  'job.blind': ({ job, tenant, due }) =>
    fr`La tâche de fond ${job} n’a rien trouvé à faire pour l’organisation ${tenant}, où un opérateur en voit ${due}. Sa portée ou une règle lui cache les lignes ; comparez avec « npx mikro-orm migration:check ».`,
}
