import { unreachable } from '../../unreachable.ts';
import type { LoadTarget } from '../types.ts';
import type { PreparedTarget } from './requests.ts';
import { prepareHttpTarget } from './requests.ts';

/**
 * The requests for a target, made once.
 * @throws LoadError or ModelError where none can be made
 */
export async function prepareTarget(target: LoadTarget): Promise<PreparedTarget> {
  switch (target.kind) {
    case 'http':
      return prepareHttpTarget(target);
    case 'kserve': {
      // Loaded where used: a plain HTTP load needs none of it.
      if (target.protocol === 'image') return (await import('./image-target.ts')).prepareImageTarget(target);
      const { prepareKserveTarget } = await import('./kserve-target.ts');
      return prepareKserveTarget(target);
    }
    default:
      return unreachable(target);
  }
}
