import { writeFile } from 'node:fs/promises';
import { type ComparedResponse, compareRuns, describeText } from '../../analysis/index.ts';
import { messageOf, StoreError, UsageError } from '../../errors.ts';
import { renderComparison } from '../../report/index.ts';
import { findResponse, type Objective } from '../../spec/index.ts';
import { type CompareInput, readCompareInput } from '../compare-input.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { parseNames } from '../option-values.ts';
import { parseThreshold } from '../parse-threshold.ts';
import { readTableFormat } from '../table-format.ts';

interface CompareOptions {
  readonly factors?: string;
  readonly minimize: readonly string[];
  readonly maximize: readonly string[];
  readonly threshold: readonly string[];
  readonly markdown?: string;
  readonly format: string;
  readonly json?: boolean;
}

const CONFIDENCE = 0.95;
const DEFAULT_MARGIN: ComparedResponse['margin'] = { kind: 'share', value: 0.05 };

/** `dse compare`: what changed from one run, or configuration, to another. */
export async function compare(baseText: string, nextText: string, options: CompareOptions): Promise<ExitCode> {
  const format = readTableFormat(options.format);
  const thresholds = new Map(options.threshold.map(parseThreshold));
  const named = parseNames(options.factors);
  const base = await readCompareInput(baseText, named);
  const next = await readCompareInput(nextText, named);
  const responses = chooseResponses(options, thresholds, base);
  checkColumns(responses, [base, next]);
  const selected = new Set([...base.levels.keys(), ...next.levels.keys()]);
  const factors = [...new Set([...base.factors, ...next.factors])].filter((factor) => !selected.has(factor));
  checkFactors(factors, [base, next]);
  const comparison = compareRuns({
    base,
    next,
    factors,
    responses,
    isPaired: base.source === next.source,
    confidence: CONFIDENCE,
  });
  if (comparison.matched === 0) {
    throw new UsageError({
      where: `${baseText}, ${nextText}`,
      what: 'no configuration has usable trials on both sides',
      hint: `They are matched on ${factors.join(', ')}; select one level where the sides differ on purpose, e.g. 'results/a?threads=1'.`,
    });
  }
  const context = { base: baseText, next: nextText, factors, hosts: [base.hosts, next.hosts] as const };
  if (options.markdown !== undefined) await write(options.markdown, renderComparison(comparison, context, 'markdown'));
  const isWorse = [...comparison.overall, ...comparison.byConfiguration].some(
    ({ verdict }) => verdict === 'regression',
  );
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ isRegression: isWorse, factors, ...comparison })}\n`
      : renderComparison(comparison, context, format),
  );
  return isWorse ? EXIT.failed : EXIT.ok;
}

/** What was asked for; else the objectives of the base. A response with a threshold is compared too. */
function chooseResponses(
  { minimize, maximize }: CompareOptions,
  thresholds: ReadonlyMap<string, ComparedResponse['margin']>,
  base: CompareInput,
): ComparedResponse[] {
  const asked: Objective[] = [
    ...minimize.map((response) => ({ response, direction: 'minimize' }) as const),
    ...maximize.map((response) => ({ response, direction: 'maximize' }) as const),
  ];
  const objectives = asked.length > 0 ? asked : base.objectives;
  const unknown = [...thresholds.keys()].filter((name) => !objectives.some(({ response }) => response === name));
  const problems = unknown
    .filter((name) => findResponse(name)?.better === undefined)
    .map((name) => ({
      where: '--threshold',
      what: `nothing says which way ${name} is better`,
      hint: `Add --minimize ${name} or --maximize ${name}.`,
    }));
  if (objectives.length + unknown.length === 0) {
    problems.push({
      where: 'compare',
      what: 'no response is named',
      hint: 'Add --minimize or --maximize with a column, e.g. --minimize latency_ms.',
    });
  }
  if (problems.length > 0) throw new UsageError(problems);
  const added = unknown.map((response): Objective => {
    const isLower = findResponse(response)?.better === 'lower';
    return { response, direction: isLower ? 'minimize' : 'maximize' };
  });
  return [...objectives, ...added].map((objective) => ({
    ...objective,
    margin: thresholds.get(objective.response) ?? DEFAULT_MARGIN,
  }));
}

function checkColumns(responses: readonly ComparedResponse[], inputs: readonly CompareInput[]): void {
  // Both sides may be of one table, whose cells are told once.
  const distinct = inputs.filter(({ source }, at) => inputs.findIndex((other) => other.source === source) === at);
  const problems = distinct.flatMap(({ source, table }) =>
    responses.flatMap(({ response }) => {
      const column = table.columns.get(response);
      const where = `${source}: column "${response}"`;
      if (column?.kind === 'number') return [];
      if (column !== undefined) return [{ ...describeText(response, column, table), where }];
      return [{ where, what: 'the table has no such column', hint: `Its columns are: ${table.names.join(', ')}.` }];
    }),
  );
  if (problems.length > 0) throw new UsageError(problems);
}

/** A factor that only one side varies would match nothing without a word. */
function checkFactors(factors: readonly string[], inputs: readonly CompareInput[]): void {
  const problems = inputs.flatMap(({ source, table }) =>
    factors
      .filter((factor) => !table.columns.has(factor))
      .map((factor) => ({
        where: source,
        what: `it has no factor "${factor}", which the other side varies`,
        hint: `Select a level of it on the other side, e.g. '...?${factor}=...'.`,
      })),
  );
  if (problems.length > 0) throw new UsageError(problems);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new StoreError(
      {
        where: file,
        what: `the summary cannot be written: ${messageOf(error)}`,
        hint: 'Choose another file with --markdown.',
      },
      error,
    );
  }
}
