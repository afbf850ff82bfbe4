import { UsageError } from '../errors.ts';

/**
 * Sizes of open dimensions as the command line gives them: "sequence=128".
 *
 * @throws UsageError naming the option and quoting the text
 */
export function readSizes(option: string, texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, size] = /^(.+)=([1-9]\d*)$/.exec(text) ?? [];
      if (name === undefined) {
        throw new UsageError({
          where: option,
          what: `"${text}" is not possible`,
          hint: 'Give a name and a size, e.g. sequence=128.',
        });
      }
      return [name, Number(size)];
    }),
  );
}

/**
 * A number that may be negative, e.g. an offset; undefined where the option is not given.
 *
 * @throws UsageError naming the option and quoting the text
 */
export function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new UsageError({ where: option, what: `"${text}" is not possible`, hint: 'Give a number, e.g. 0.5.' });
}
