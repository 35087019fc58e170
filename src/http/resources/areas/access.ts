import { RolePermission, UserPermission, UserRole } from '../../../domain/access/index.ts'
import { resource } from '../resource.ts'

/** What is granted; it is changed through roles and members. */
export const access = [resource(RolePermission), resource(UserRole), resource(UserPermission)]
