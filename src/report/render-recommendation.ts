import { type Analysis, type Candidate, levelsOf, type Recommendation } from '../analysis/index.ts';
import { findResponse } from '../spec/index.ts';
import type { ContainerDeployment, Deployment } from './deployment.ts';
import { formatNumber } from './numbers.ts';
import { renderTextTable, type TextColumn } from './text-table.ts';

/** A recommendation as text for a terminal. Ends with a line end. */
export function renderRecommendation(
  analysis: Analysis,
  recommendation: Recommendation,
  deployment: Deployment | undefined,
  at: ReadonlyMap<string, string>,
): string {
  const heading = at.size === 0 ? [] : [`At ${[...at].map(([factor, level]) => `${factor}=${level}`).join(' ')}:`];
  const body =
    'choice' in recommendation
      ? renderChoice(analysis, recommendation, deployment)
      : renderMiss(analysis, recommendation);
  return `${[...heading, ...body].join('\n')}\n`;
}

function renderMiss(analysis: Analysis, { closest, misses }: Extract<Recommendation, { misses: unknown }>): string[] {
  const { constraints } = analysis.options;
  if (closest === undefined)
    return ['No configuration has values of the objective and of every constraint, so none can be recommended.'];
  const missed = misses.map((gate) => {
    const value = closest.held[constraints.indexOf(gate)] as number;
    return `${gate.response} is ${formatNumber(value)}, ${gate.relation} ${gate.limit} was asked`;
  });
  return ['No configuration meets every constraint.', `Closest: ${nameOf(analysis, closest)}; ${missed.join('; ')}.`];
}

function renderChoice(
  analysis: Analysis,
  { choice, safer, priceOfSafety, runnersUp, eligible }: Extract<Recommendation, { choice: unknown }>,
  deployment: Deployment | undefined,
): string[] {
  const { options } = analysis;
  const response = options.objectives[0]?.response ?? '';
  const unit = findResponse(response)?.unit ?? '';
  return [
    `Recommended: ${nameOf(analysis, choice)}`,
    '',
    renderTextTable(
      columnsOf(analysis),
      [
        choice,
        ...(safer === undefined ? [] : [safer]),
        ...runnersUp.filter((one) => one.configuration !== safer?.configuration),
      ].map((one) => cellsOf(analysis, one)),
    ),
    '',
    `${response} is ${formatNumber(choice.value)}${unit === '' ? '' : ` ${unit}`}, the ${options.objectives[0]?.direction === 'minimize' ? 'least' : 'most'} of ${eligible} ${eligible === 1 ? 'configuration' : 'configurations'} whose means meet every constraint.`,
    ...sayHowSure(choice),
    ...(safer === undefined || priceOfSafety === undefined
      ? []
      : [
          `To be safer: ${nameOf(analysis, safer)} meets every constraint in ${percent(safer.chances?.meets.value ?? 0)} of draws and costs ${(100 * priceOfSafety).toFixed(1)} % of ${response}.`,
        ]),
    ...analysis.notes.map((note) => `Note: ${note}.`),
    ...(deployment === undefined ? [] : ['', 'As a spec:', '', indent(deployment.specFragment)]),
    ...(deployment?.command === undefined ? [] : ['To serve it:', '', indent(deployment.command)]),
    ...(deployment?.container === undefined ? [] : ['Or in a container:', '', indent(commandsOf(deployment.container))]),
    ...(deployment?.notes ?? []),
    ...(deployment?.container?.notes ?? []),
  ];
}

function commandsOf({ build, run }: ContainerDeployment): string {
  return build === undefined ? run : `${build}\n${run}`;
}

function sayHowSure({ chances }: Candidate): string[] {
  if (chances === undefined)
    return ['Nothing says how sure that is: there is one replicate and no interval. Add replicates.'];
  return [
    `It meets every constraint in ${percent(chances.meets.value)} and is the best of those that do in ${percent(chances.best.value)} of 2,000 bootstrap draws.`,
  ];
}

function columnsOf({ configurations, options }: Analysis): TextColumn[] {
  const names = [...options.objectives, ...options.constraints].map(({ response }) => response);
  return [
    ...configurations.factors.map((factor): TextColumn => ({ header: [factor], align: 'left' })),
    ...[...new Set(names), 'P(meets)', 'P(best)'].map((header): TextColumn => ({ header: [header], align: 'right' })),
  ];
}

function cellsOf(analysis: Analysis, { configuration, chances }: Candidate): string[] {
  const { configurations, options, means } = analysis;
  const names = new Set([...options.objectives, ...options.constraints].map(({ response }) => response));
  return [
    ...levelsOf(configurations, configuration),
    ...[...names].map((name) => formatNumber(means.get(name)?.[configuration] as number)),
    ...(chances === undefined ? ['-', '-'] : [percent(chances.meets.value), percent(chances.best.value)]),
  ];
}

function nameOf({ configurations }: Analysis, { configuration }: Candidate): string {
  const levels = levelsOf(configurations, configuration);
  return configurations.factors.map((factor, at) => `${factor}=${levels[at]}`).join(' ');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .concat('')
    .join('\n');
}
