export interface BuiltinRole {
  readonly key: string
  readonly name: string
  readonly parent?: string
  readonly description: string
  /** `resource:action`, where `*` stands for every resource. */
  readonly permissions: readonly string[]
  /** Resources that `*` doesn't reach. */
  readonly except?: readonly string[]
}

/** Who may do what here is decided by few. */
export const sensitive = [
  'organization',
  'membership',
  'invitation',
  'role',
  'role-permission',
  'user-role',
  'user-permission',
  'api-key',
  'audit-event',
]

/** Copied into each organization when it is made. A parent stands before its children. */
export const builtinRoles: readonly BuiltinRole[] = [
  { key: 'CLIENT', name: 'Client', description: 'Sees the organization itself', permissions: ['organization:read'] },
  {
    key: 'VIEWER',
    name: 'Viewer',
    description: 'Reads everything but credentials and the log as a whole',
    permissions: ['*:read'],
    except: ['api-key', 'invitation', 'audit-event'],
  },
  { key: 'USER', name: 'User', parent: 'VIEWER', description: 'Reads what viewers read', permissions: [] },
  {
    key: 'MEMBER',
    name: 'Member',
    parent: 'VIEWER',
    description: 'Works with everything but the organization’s own affairs',
    permissions: ['*:create', '*:update', '*:export'],
    except: sensitive,
  },
  {
    key: 'AUTHOR',
    name: 'Author',
    parent: 'VIEWER',
    description: 'Writes content',
    permissions: ['content-entry:create', 'content-entry:update'],
  },
  { key: 'EDITOR', name: 'Editor', parent: 'AUTHOR', description: 'Decides about content', permissions: ['content-entry:manage'] },
  {
    key: 'OPERATOR',
    name: 'Operator',
    parent: 'MEMBER',
    description: 'Runs what runs by itself',
    permissions: ['automation:manage', 'workflow-execution:manage', 'workflow-trigger:manage', 'webhook-endpoint:manage'],
  },
  {
    key: 'PM',
    name: 'Project manager',
    parent: 'MEMBER',
    description: 'Approves and tidies up',
    permissions: ['*:approve', '*:delete'],
    except: sensitive,
  },
  {
    key: 'ADMIN',
    name: 'Administrator',
    parent: 'MEMBER',
    description: 'Manages people, roles and keys',
    permissions: ['*:manage', 'organization:update'],
    except: ['organization'],
  },
  {
    key: 'OWNER',
    name: 'Owner',
    parent: 'ADMIN',
    description: 'Everything, and the organization itself',
    permissions: ['organization:manage'],
  },
]
