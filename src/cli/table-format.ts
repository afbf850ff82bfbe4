import { UsageError } from '../errors.ts';
import { RENDERERS, type TableFormat } from '../report/index.ts';

/** The value of `--format`. @throws UsageError */
export function readTableFormat(format: string): TableFormat {
  if (Object.hasOwn(RENDERERS, format)) return format as TableFormat;
  throw new UsageError({
    where: '--format',
    what: `"${format}" is no format`,
    hint: `Use one of: ${Object.keys(RENDERERS).join(', ')}.`,
  });
}
