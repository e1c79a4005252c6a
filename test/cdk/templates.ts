import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { currentAssembly } from '../../local/assembly.ts';

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}

/** Resources of a synthesized stack, by logical id. */
export async function resources(stack: string): Promise<Record<string, Resource>> {
  const file = join(await currentAssembly(), `${stack}.template.json`);
  return JSON.parse(await readFile(file, 'utf8')).Resources;
}

/** The resources of one type in a stack. */
export async function ofType(stack: string, type: string): Promise<Resource[]> {
  return Object.values(await resources(stack)).filter((resource) => resource.Type === type);
}
