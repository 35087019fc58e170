/** What the rest of Daybook needs of this area, and no application. */
export { type Admission, admissionIn, admit, type Entrant, isNoLongerAdmitted, stillAdmitted } from './admission.ts'
export { newKey } from './api-key-format.ts'
export { sensitive } from './builtin-roles.ts'
export { countExpiredInvitations } from './invitations.ts'
export { personActing } from './person-acting.ts'
