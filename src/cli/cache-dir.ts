import path from 'node:path';
import envPaths from 'env-paths';

/** Where built models are kept between runs: `$DSE_CACHE`, else the platform's folder for caches. */
export function modelCacheDir(): string {
  return path.resolve(process.env.DSE_CACHE ?? envPaths('dse', { suffix: '' }).cache, 'models');
}
