import { type Analysis, levelsOf, recommend as recommendFrom } from '../../analysis/index.ts';
import { UsageError } from '../../errors.ts';
import { describeDeployment, renderRecommendation } from '../../report/index.ts';
import { LOAD_FACTORS } from '../../spec/index.ts';
import { type AskOptions, analyzeInputs } from '../analyze-input.ts';
import { describeContainer } from '../container-deployment.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readTableFormat } from '../table-format.ts';

interface RecommendOptions extends Omit<AskOptions, 'context'> {
  readonly at: readonly string[];
  readonly format: string;
  readonly json?: boolean;
}

/**
 * `dse recommend`: one configuration for one objective under constraints, how sure that is, and how to deploy it.
 *
 * The load is given and not chosen, so there is a recommendation for each load. Exit code 1 where nothing meets the constraints at one of them.
 */
export async function recommend(inputs: readonly string[], options: RecommendOptions): Promise<ExitCode> {
  const format = readTableFormat(options.format);
  const count = options.minimize.length + options.maximize.length;
  if (count !== 1) {
    throw new UsageError({
      what: `${count} objectives were given`,
      hint: "Give exactly one, --minimize or --maximize, and turn the others into constraints with --where, e.g. --where 'latency_p99_ms<=50'.",
    });
  }
  const { analysis, results } = await analyzeInputs(inputs, { ...options, context: [] });
  const name = (configuration: number) => {
    const levels = levelsOf(analysis.configurations, configuration);
    return Object.fromEntries(analysis.configurations.factors.map((factor, at) => [factor, levels[at] as string]));
  };
  const answers = listPlaces(analysis, parsePlace(options.at, analysis)).map((at) => {
    const recommendation = recommendFrom(analysis, at);
    const chosen = 'choice' in recommendation ? name(recommendation.choice.configuration) : undefined;
    const deployment = chosen === undefined ? undefined : describeDeployment(chosen, results, describeContainer);
    return { at, recommendation, deployment };
  });
  if (options.json) {
    const recommendations = answers.map(({ at, recommendation, deployment }) => ({
      at: Object.fromEntries(at),
      ...withNames(recommendation, name),
      deployment,
    }));
    process.stdout.write(`${JSON.stringify({ recommendations, notes: analysis.notes })}\n`);
  } else {
    process.stdout.write(
      answers
        .map(({ at, recommendation, deployment }) =>
          renderRecommendation(analysis, recommendation, deployment, at, format),
        )
        .join('\n'),
    );
  }
  return answers.every(({ recommendation }) => 'choice' in recommendation) ? EXIT.ok : EXIT.failed;
}

/** @throws UsageError naming every selection that matches nothing */
function parsePlace(pairs: readonly string[], { configurations: { factors, levels } }: Analysis): Map<string, string> {
  const place = new Map<string, string>();
  const problems = pairs.flatMap((pair) => {
    const [factor = '', level = ''] = pair.split('=').map((part) => part.trim());
    const known = levels[factors.indexOf(factor)];
    if (known === undefined) {
      return [
        { where: '--at', what: `"${factor}" is not one of the factors`, hint: `They are: ${factors.join(', ')}.` },
      ];
    }
    if (!known.includes(level)) {
      return [{ where: '--at', what: `no row has ${factor}=${level}`, hint: `Its levels are: ${known.join(', ')}.` }];
    }
    place.set(factor, level);
    return [];
  });
  if (problems.length > 0) throw new UsageError(problems);
  return place;
}

/** The place asked for, once for each level of a load that was left open. */
function listPlaces(
  { configurations: { factors, levels } }: Analysis,
  place: ReadonlyMap<string, string>,
): ReadonlyMap<string, string>[] {
  return LOAD_FACTORS.filter((factor) => factors.includes(factor) && !place.has(factor)).reduce(
    (places, factor) =>
      places.flatMap((one) =>
        (levels[factors.indexOf(factor)] as readonly string[]).map((level) => new Map([...one, [factor, level]])),
      ),
    [new Map(place)],
  );
}

/** Levels by factor instead of the index of a configuration. */
function withNames(value: unknown, name: (configuration: number) => Readonly<Record<string, string>>): object {
  const text = JSON.stringify(value, (key, inner) => (key === 'configuration' ? name(inner) : inner));
  return JSON.parse(text) as object;
}
