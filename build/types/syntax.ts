import {
  type Identifier,
  type ImportTypeNode,
  isClassDeclaration,
  isExportSpecifier,
  isFunctionDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportSpecifier,
  isImportTypeNode,
  isLiteralTypeNode,
  isInterfaceDeclaration,
  isModuleDeclaration,
  isStringLiteral,
  isTypeAliasDeclaration,
  isVariableStatement,
  type Node,
  type Statement,
  SyntaxKind,
} from 'typescript/unstable/ast'

export function declares({ kind }: Statement): boolean {
  return kind !== SyntaxKind.ImportDeclaration && kind !== SyntaxKind.ExportDeclaration
}

/** Undefined for what adds to a module of another package. */
export function nameOf(statement: Statement): Node | undefined {
  if (isVariableStatement(statement)) {
    const [first, second] = statement.declarationList.declarations
    if (first && !second) return first.name
  } else if (isClassDeclaration(statement) && statement.name) return statement.name
  else if (isFunctionDeclaration(statement) && statement.name) return statement.name
  else if (isInterfaceDeclaration(statement) || isTypeAliasDeclaration(statement)) return statement.name
  else if (isModuleDeclaration(statement) && isStringLiteral(statement.name)) return undefined
  throw new Error(
    `Only classes, functions, interfaces, types and single constants have a place among the published types: ${statement.getText()}`,
  )
}

interface Said {
  readonly node: Identifier
  readonly start: number
  readonly module?: string
}

/** Every name that a statement says. `import("./x.ts").Name` is one, as a whole. */
export function namesIn(statement: Statement): Said[] {
  const names: Said[] = []
  const visit = (node: Node): void => {
    if (isIdentifier(node)) names.push({ node, start: node.getStart() })
    else if (isImportTypeNode(node)) {
      names.push(saidBy(node))
      node.typeArguments?.forEach(visit)
    } else node.forEachChild(visit)
  }
  statement.forEachChild(visit)
  return names
}

function saidBy(node: ImportTypeNode): Said {
  const { argument, qualifier, isTypeOf } = node
  if (isTypeOf || !qualifier || !isIdentifier(qualifier) || !isLiteralTypeNode(argument) || !isStringLiteral(argument.literal)) {
    throw new Error(`Only import("module").Name can be told apart: ${node.getText()}`)
  }
  return { node: qualifier, start: node.getStart(), module: argument.literal.text }
}

/** From where a name is imported, and what it is called there. */
export function importedBy(node: Node): { module: string; name: string } | undefined {
  if (isExportSpecifier(node)) return undefined
  const declaration = isImportSpecifier(node) ? node.parent.parent.parent : node
  if (!isImportSpecifier(node) || !isImportDeclaration(declaration) || !isStringLiteral(declaration.moduleSpecifier)) {
    throw new Error(`Only import { Name } from 'module' can be told apart: ${node.parent.getText()}`)
  }
  return { module: declaration.moduleSpecifier.text, name: (node.propertyName ?? node.name).text }
}
