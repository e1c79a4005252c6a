/** What the lock file says of every package, and what must not be in it. */

/** An entry of `packages` in package-lock.json. */
export interface LockEntry {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  dev?: boolean;
  devOptional?: boolean;
  link?: boolean;
  inBundle?: boolean;
  hasInstallScript?: boolean;
}

export interface Lock {
  lockfileVersion: number;
  packages: Record<string, LockEntry>;
}

/** What of package.json is looked at. */
export interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

/**
 * Biome's programs for other platforms: the lock has no hash of them, since npm only saw the one that it installed. They
 * are tools for editing, of which nothing is deployed.
 */
const WITHOUT_HASH = /^node_modules\/@biomejs\/cli-[a-z0-9-]+$/;

const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/** The name of a package, of its place in the lock. */
export function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/**
 * What is wrong with a lock file: what npm could not check the content of, what comes from elsewhere than a registry,
 * names of registries (whoever installs has their own), and what would run at an install without being allowed to.
 *
 * @returns a line each
 */
export function faultsOf({ lockfileVersion, packages }: Lock, manifest: Manifest): string[] {
  const faults: string[] = [];
  if (lockfileVersion !== 3) faults.push(`the lock file must be of version 3, not ${lockfileVersion}`);
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    if (!EXACT.test(version)) faults.push(`package.json must name one version of ${name}, not ${version}`);
  }
  for (const [place, entry] of Object.entries(packages)) {
    if (place === '') continue;
    if (entry.link || entry.version === undefined || !EXACT.test(entry.version)) {
      faults.push(`${place} is no package of a registry`);
    }
    if (entry.resolved !== undefined) faults.push(`${place} names where it is from: ${entry.resolved}`);
    // What is inside another package is covered by the hash of that.
    if (!entry.inBundle && !WITHOUT_HASH.test(place) && !/^sha512-/.test(entry.integrity ?? '')) {
      faults.push(`${place} has no sha512 hash`);
    }
    if (entry.hasInstallScript && !Object.hasOwn(manifest.allowScripts, nameOf(place))) {
      faults.push(`${place} has an install script: decide in allowScripts of package.json`);
    }
  }
  return faults;
}
