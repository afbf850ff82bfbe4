import { type DesignDescription, describeDesign } from '../../design/index.ts';
import { renderProblems } from '../../errors.ts';
import { formatDuration } from '../../report/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { readSpec } from '../spec-file.ts';

interface PlanOptions {
  readonly engine?: string;
  readonly context?: string;
  readonly order?: boolean;
  readonly json?: boolean;
}

/** `dse plan`: what an experiment would run, in which order and for how long. Starts nothing. */
export async function plan(specFile: string, options: PlanOptions): Promise<ExitCode> {
  const { spec } = await readSpec(specFile, options);
  const description = describeDesign(spec);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ name: spec.name, ...description })}\n`
      : renderPlan(spec.name, description, options.order),
  );
  return EXIT.ok;
}

function renderPlan(name: string, plan: DesignDescription, withOrder = false): string {
  const width = Math.max(...[...plan.factors, ...plan.fixed].map(({ factor }) => factor.length));
  const lines = [
    `${name}: ${plan.method}, seed ${plan.seed}, replicates ${plan.replicates}`,
    '',
    ...plan.factors.map(({ factor, levels }) => `  ${factor.padEnd(width)}  ${levels.join(', ')}`),
    '',
    ...(plan.neighbours.length === 0
      ? []
      : ['  neighbours:', ...plan.neighbours.map(({ level, neighbour }) => `    ${level}  ${neighbour}`), '']),
    `  fixed: ${plan.fixed.map(({ factor, level }) => `${factor}=${level}`).join(', ')}`,
    '',
    `${plan.gridPoints} combinations of all levels${plan.candidates === plan.gridPoints ? '' : `, ${plan.candidates} in the fraction`}`,
    ...plan.exclusions.map(({ when, why, matches }) => `  ${matches} excluded where ${when}: ${why}`),
    `${plan.points} design points x ${plan.replicates} replicates = ${plan.trials} trials in ${plan.blocks} blocks, ${plan.launches} launches`,
    `about ${formatDuration(plan.estimatedS)}, before anything was measured`,
    ...(plan.aliases.length > 0 ? ['', ...plan.aliases] : []),
    ...(withOrder ? ['', ...renderOrder(plan)] : []),
    ...(plan.warnings.length > 0 ? ['', renderProblems(plan.warnings)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Every trial in the order it would run, grouped by launch. */
function renderOrder({ order, factors }: DesignDescription): string[] {
  const describe = (levels: DesignDescription['order'][number]['levels'], names: readonly string[]) =>
    names.map((factor) => `${factor}=${levels[factor]?.name}`).join(' ');
  const varied = factors.map(({ factor }) => factor);
  return order.flatMap(({ block, levels, trials }) => [
    `block ${block}  ${describe(
      levels,
      varied.filter((factor) => factor !== 'load'),
    )}`,
    ...trials.map((trial) => `  ${String(trial.runOrder).padStart(4)}  ${trial.levels.load?.name}`),
  ]);
}
