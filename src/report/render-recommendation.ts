import { type Analysis, type Candidate, levelsOf, type Recommendation } from '../analysis/index.ts';
import { findResponse } from '../spec/index.ts';
import type { ContainerDeployment, Deployment } from './deployment.ts';
import { formatNumber } from './numbers.ts';
import { RENDERERS, type TableFormat, type TableView } from './renderers.ts';
import type { TextColumn } from './text-table.ts';

/** A recommendation for people. Ends with a line end. @param at - the place it was asked for, empty where that was everywhere */
export function renderRecommendation(
  analysis: Analysis,
  recommendation: Recommendation,
  deployment: Deployment | undefined,
  at: ReadonlyMap<string, string>,
  format: TableFormat = 'text',
): string {
  const place = at.size === 0 ? '' : ` at ${[...at].map(([factor, level]) => `${factor}=${level}`).join(' ')}`;
  const view =
    'choice' in recommendation
      ? viewChoice(analysis, recommendation, deployment, place)
      : viewMiss(analysis, recommendation, place);
  return RENDERERS[format](view);
}

function viewMiss(
  analysis: Analysis,
  { closest, misses }: Extract<Recommendation, { misses: unknown }>,
  place: string,
): TableView {
  const { constraints } = analysis.options;
  const table = { columns: columnsOf(analysis), rows: [] };
  if (closest === undefined) {
    const why = `No configuration${place} has values of the objective and of every constraint, so none can be recommended.`;
    return { title: why, ...table, remarks: notesOf(analysis) };
  }
  const missed = misses.map((gate) => {
    const value = closest.held[constraints.indexOf(gate)] as number;
    return `${gate.response} is ${formatNumber(value)}, ${gate.relation} ${gate.limit} was asked`;
  });
  return {
    title: `No configuration meets every constraint${place}.`,
    ...table,
    rows: [cellsOf(analysis, closest)],
    remarks: [`Closest: ${nameOf(analysis, closest)}; ${missed.join('; ')}.`, ...notesOf(analysis)],
  };
}

function viewChoice(
  analysis: Analysis,
  { choice, safer, priceOfSafety, runnersUp, eligible }: Extract<Recommendation, { choice: unknown }>,
  deployment: Deployment | undefined,
  place: string,
): TableView {
  const { options } = analysis;
  const response = options.objectives[0]?.response ?? '';
  const unit = findResponse(response)?.unit ?? '';
  const others = runnersUp.filter((one) => one.configuration !== safer?.configuration);
  return {
    title: `Recommended${place}: ${nameOf(analysis, choice)}`,
    columns: columnsOf(analysis),
    rows: [choice, ...(safer === undefined ? [] : [safer]), ...others].map((one) => cellsOf(analysis, one)),
    remarks: [
      `${response} is ${formatNumber(choice.value)}${unit === '' ? '' : ` ${unit}`}, the ${options.objectives[0]?.direction === 'minimize' ? 'least' : 'most'} of ${eligible} ${eligible === 1 ? 'configuration' : 'configurations'} whose means meet every constraint.`,
      ...sayHowSure(choice),
      ...(safer === undefined || priceOfSafety === undefined
        ? []
        : [
            `To be safer: ${nameOf(analysis, safer)} meets every constraint in ${percent(safer.chances?.meets.value ?? 0)} of draws and costs ${(100 * priceOfSafety).toFixed(1)} % of ${response}.`,
          ]),
      ...notesOf(analysis),
    ],
    listings: listingsOf(deployment),
    notes: [...(deployment?.notes ?? []), ...(deployment?.container?.notes ?? [])],
  };
}

function notesOf({ notes }: Analysis): string[] {
  return notes.map((note) => `Note: ${note}.`);
}

/** What deploys it: a spec, and the commands. */
function listingsOf(deployment: Deployment | undefined): NonNullable<TableView['listings']> {
  if (deployment === undefined) return [];
  const { specFragment, command, container } = deployment;
  return [
    { title: 'As a spec', text: specFragment },
    ...(command === undefined ? [] : [{ title: 'To serve it', text: command }]),
    ...(container === undefined ? [] : [{ title: 'Or in a container', text: commandsOf(container) }]),
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
