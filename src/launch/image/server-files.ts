import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Compiled modules that run in the image; what they import is found from them. */
const SERVER_ENTRIES: readonly string[] = ['dist/server/main.js', 'dist/engine/worker.js'];
/** Runs in the first stage of the build, and not in the image. */
const COPY_ENTRY = 'dist/launch/image/copy-server-files.js';

/** A platform as Node names it. */
export interface ImagePlatform {
  readonly platform: string;
  readonly arch: string;
}

/** What an image of the server holds, by paths relative to dse's root folder. */
export interface ServerFiles {
  /** Compiled modules of dse, and its package.json. */
  readonly own: readonly string[];
  readonly packages: readonly InstalledPackage[];
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly dir: string;
  readonly files: readonly string[];
  /** Those it is for, of native libraries that are packages of their own; empty where it is for all. */
  readonly platforms: readonly ImagePlatform[];
}

/** What is read of a package's own description. */
interface PackageJson {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

/** Named as dependencies, but used only by the script that fetches GPU libraries when the package is installed. */
const INSTALL_ONLY: Readonly<Record<string, readonly string[]>> = { 'onnxruntime-node': ['adm-zip', 'global-agent'] };

/** Where onnxruntime-node keeps its libraries: bin/napi-v6/<platform>/<arch>/. */
const LIBRARY = /\/onnxruntime-node\/bin\/[^/]+\/([^/]+)\/([^/]+)\//;

/**
 * The files the server needs and nothing else, found by following imports, dependencies and the files that `packageFile` names from its entries.
 *
 * @param root - folder that holds `dist/`, `node_modules/` and `package.json`
 * @param isWanted - of which platforms the native libraries are wanted
 * @throws Error naming what is missing, where dse is not built or not installed completely
 */
export function listServerFiles(
  root: string,
  isWanted: (library: ImagePlatform) => boolean,
  entries: readonly string[] = SERVER_ENTRIES,
): ServerFiles {
  const own = new Set(['package.json']);
  const packages = new Map<string, InstalledPackage>();
  for (const entry of entries) followImports(root, entry, own, packages);
  return {
    own: [...own].sort(),
    packages: [...packages.values()]
      .filter(({ platforms }) => platforms.length === 0 || platforms.some(isWanted))
      .sort((a, b) => (a.dir < b.dir ? -1 : 1))
      .map((one) => ({ ...one, files: one.files.filter((file) => isFileWanted(file, isWanted)) })),
  };
}

/** Files for a build that may run on either architecture: the image's own is chosen inside. */
export function listContextFiles(root: string): ServerFiles {
  return listServerFiles(root, ({ platform }) => platform === 'linux', [...SERVER_ENTRIES, COPY_ENTRY]);
}

function followImports(root: string, file: string, own: Set<string>, packages: Map<string, InstalledPackage>): void {
  if (own.has(file)) return;
  own.add(file);
  const text = readFileSync(join(root, file), 'utf8');
  for (const [, named = ''] of text.matchAll(/\bpackageFile\(['"]([^'"]+)['"]\)/g)) own.add(named);
  for (const [, specifier = ''] of text.matchAll(/(?<!\.)\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    if (specifier.startsWith('.')) followImports(root, normalize(join(dirname(file), specifier)), own, packages);
    else if (!specifier.startsWith('node:')) addPackage(root, packageName(specifier), 'node_modules', packages);
  }
}

/** Adds a package and what it depends on; `from` is the innermost node_modules folder in which Node would look for it. */
function addPackage(root: string, name: string, from: string, packages: Map<string, InstalledPackage>): void {
  const dir = findPackage(root, name, from);
  if (packages.has(dir)) return;
  const own = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) as PackageJson;
  const { version, dependencies = {}, optionalDependencies = {}, os = [], cpu = [] } = own;
  const platforms = os.flatMap((platform) => cpu.map((arch) => ({ platform, arch })));
  packages.set(dir, { name, version, dir, files: listFiles(root, dir), platforms });
  // npm lists these under both names, and installs those that fit the machine.
  for (const dependency of Object.keys(optionalDependencies)) {
    if (isInstalled(root, dependency, `${dir}/node_modules`))
      addPackage(root, dependency, `${dir}/node_modules`, packages);
  }
  for (const dependency of Object.keys(dependencies)) {
    if (INSTALL_ONLY[name]?.includes(dependency) || Object.hasOwn(optionalDependencies, dependency)) continue;
    addPackage(root, dependency, `${dir}/node_modules`, packages);
  }
}

function isInstalled(root: string, name: string, from: string): boolean {
  return searchPackage(root, name, from) !== undefined;
}

function findPackage(root: string, name: string, from: string): string {
  const dir = searchPackage(root, name, from);
  if (dir === undefined) throw new Error(`the package "${name}" is not installed in ${join(root, 'node_modules')}`);
  return dir;
}

function searchPackage(root: string, name: string, from: string): string | undefined {
  const dir = `${from}/${name}`;
  if (existsSync(join(root, dir, 'package.json'))) return dir;
  const outer = from.lastIndexOf('/node_modules/', from.length - 'node_modules'.length - 1);
  const outerFrom = from === 'node_modules' ? undefined : outer < 0 ? 'node_modules' : from.slice(0, outer + 13);
  return outerFrom === undefined ? undefined : searchPackage(root, name, outerFrom);
}

function listFiles(root: string, dir: string): string[] {
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
    return entry.name === 'node_modules' ? [] : listFiles(root, path);
  });
}

function isFileWanted(file: string, isWanted: (library: ImagePlatform) => boolean): boolean {
  const [, platform, arch] = LIBRARY.exec(file) ?? [];
  return platform === undefined || arch === undefined || isWanted({ platform, arch });
}

function packageName(specifier: string): string {
  const [scope = '', name] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}
