import type { ModelSettings } from '../types.ts';

/** The version under which a model is served; "1" where its settings name none. */
export function versionOf({ version = '1' }: ModelSettings): string {
  return version;
}
