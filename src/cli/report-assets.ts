import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../package-files.ts';
import type { PageAssets } from '../report/index.ts';

/** Everything a page is made of that ships with dse: chart specs, style and scripts. */
export async function readPageAssets(): Promise<PageAssets> {
  const [style, link, vega, interpreter, specs] = await Promise.all([
    readFile(packageFile('analysis/page/report.css'), 'utf8'),
    readFile(packageFile('analysis/page/report.js'), 'utf8'),
    readFile(siblingOf('vega', 'vega.min.js'), 'utf8'),
    readFile(fileURLToPath(import.meta.resolve('vega-interpreter')), 'utf8'),
    readSpecs(packageFile('analysis/charts')),
  ]);
  return { style, specs, scripts: [withoutMap(vega), asClassicScript(interpreter), link] };
}

/** A file beside the one that a package is entered by. */
function siblingOf(name: string, file: string): string {
  return path.join(path.dirname(fileURLToPath(import.meta.resolve(name))), file);
}

async function readSpecs(folder: string): Promise<Record<string, unknown>> {
  const ending = '.vl.json';
  const files = (await readdir(folder)).filter((file) => file.endsWith(ending));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [
        file.slice(0, -ending.length),
        JSON.parse(await readFile(path.join(folder, file), 'utf8')),
      ]),
    ),
  );
}

/**
 * The interpreter, published as a module alone, as a script that takes vega's helpers from the global `vega` and leaves `vegaInterpreter`.
 *
 * It lets expressions run without `eval`, so that the page's policy can forbid it.
 */
function asClassicScript(module: string): string {
  const imports = /^import \{([^}]+)\} from 'vega-util';$/m;
  const exported = /^export \{ (\w+) as expressionInterpreter \};$/m;
  if (!imports.test(module) || !exported.test(module)) {
    throw new Error('vega-interpreter is not written the way dse takes it into a page');
  }
  const body = module
    .replace(imports, (_, names: string) => `const {${names}} = vega;`)
    .replace(exported, (_, name: string) => `globalThis.vegaInterpreter = ${name};`);
  return `(() => {\n${withoutMap(body)}\n})();`;
}

/** A comment that names a source map would have browsers ask for one. */
function withoutMap(script: string): string {
  return script.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}
