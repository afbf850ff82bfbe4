import type { LoadTarget } from '../types.ts';
import { type PreparedTarget, prepareHttpTarget } from './requests.ts';

/**
 * The requests for a target, made once.
 * @throws LoadError where none can be made
 */
export async function prepareTarget(target: LoadTarget): Promise<PreparedTarget> {
  if (target.kind === 'http') return prepareHttpTarget(target);
  throw new Error('kserve targets are prepared here');
}
